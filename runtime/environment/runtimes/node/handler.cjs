// Finds the function that _HANDLER names: `folder/module.export.nested`, CommonJS or ES module, from the code or a layer.
'use strict';

const fs = require('fs');
const path = require('path');
const { pathToFileURL } = require('url');
const { RuntimeError } = require('./errors.cjs');

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');

function split(handler) {
  if (handler.includes('..')) {
    const hint = 'Use absolute paths when specifying root directories in handler names.';
    throw new RuntimeError('MalformedHandlerName', `'${handler}' is not a valid handler name. ${hint}`);
  }
  const last = path.basename(handler);
  const dot = last.indexOf('.');
  if (dot < 0) throw new RuntimeError('MalformedHandlerName', 'Bad handler');
  const folder = handler.slice(0, handler.lastIndexOf(last));
  return { folder, module: last.slice(0, dot), name: last.slice(dot + 1) };
}

// Whether package.json nearest to `folder` says that .js files are ES modules.
function isModuleFolder(folder) {
  for (let here = folder; ; here = path.dirname(here)) {
    if (here.endsWith('/node_modules')) return false;
    const file = path.join(here, 'package.json');
    if (fs.existsSync(file)) {
      try {
        return JSON.parse(fs.readFileSync(file, 'utf8')).type === 'module';
      } catch (error) {
        console.warn(`${file} cannot be read, it will be ignored for ES module detection purposes.`, error);
        return false;
      }
    }
    if (here === path.dirname(here)) return false;
  }
}

const load = (file) => import(pathToFileURL(file));

async function loadModule(root, folder, name) {
  const file = path.resolve(root, folder, name);
  if (fs.existsSync(file) && fs.statSync(file).isFile()) return require(file);
  if (fs.existsSync(`${file}.js`)) {
    return isModuleFolder(path.dirname(file)) ? load(`${file}.js`) : require(`${file}.js`);
  }
  if (fs.existsSync(`${file}.mjs`)) return load(`${file}.mjs`);
  if (fs.existsSync(`${file}.cjs`)) return require(`${file}.cjs`);
  return require(require.resolve(name, { paths: [root, path.resolve(root, folder)] }));
}

// The handler, with what is to be known about it. Throws Runtime.* errors for what is wrong with its name or module.
async function find(root, handler) {
  const { folder, module, name } = split(handler);
  let loaded;
  try {
    loaded = await loadModule(root, folder, module);
  } catch (error) {
    if (error instanceof SyntaxError) throw new RuntimeError('UserCodeSyntaxError', String(error));
    if (error?.code === 'MODULE_NOT_FOUND') throw new RuntimeError('ImportModuleError', String(error));
    throw error;
  }
  const found = name.split('.').reduce((value, key) => value?.[key], loaded);
  if (!found) throw new RuntimeError('HandlerNotFound', `${handler} is undefined or not exported`);
  if (typeof found !== 'function') throw new RuntimeError('HandlerNotFound', `${handler} is not a function`);
  return found;
}

function describe(handler) {
  const mode = handler[STREAMING];
  if (mode !== undefined && mode !== null && mode !== false && mode !== 'response') {
    throw new RuntimeError('MalformedStreamingHandler', 'Only response streaming is supported.');
  }
  const mark = Number.parseInt(handler[HIGH_WATER_MARK], 10);
  return {
    streaming: mode === 'response',
    highWaterMark: Number.isNaN(mark) ? undefined : mark,
    isAsync: handler.constructor?.name === 'AsyncFunction',
    takesCallback: handler.length === 3,
  };
}

// The global `awslambda` that functions which stream use.
const awslambda = {
  streamifyResponse(handler, options) {
    handler[STREAMING] = 'response';
    if (typeof options?.highWaterMark === 'number') handler[HIGH_WATER_MARK] = options.highWaterMark;
    return handler;
  },
};

module.exports = { awslambda, describe, find };

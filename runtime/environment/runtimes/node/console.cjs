// console.* as Lambda writes it: `<time>\t<request id>\t<level>\t<text>`, or JSON; levels below the wanted one are silent.
'use strict';

const fs = require('fs');
const util = require('util');
const errors = require('./errors.cjs');

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
const METHODS = { trace: 'TRACE', debug: 'DEBUG', info: 'INFO', log: 'INFO', warn: 'WARN', error: 'ERROR', fatal: 'FATAL' };

const current = { requestId: undefined };

function write(text) {
  const data = Buffer.from(`${text.replaceAll('\n', '\r')}\n`);
  let done = 0;
  while (done < data.length) {
    try {
      done += fs.writeSync(1, data, done);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}

function text(level, values) {
  write(`${new Date().toISOString()}\t${current.requestId}\t${level}\t${util.format(...values)}`);
}

function inJson(_key, value) {
  if (!(value instanceof Error)) return value;
  const stackTrace = typeof value.stack === 'string' ? value.stack.split('\n') : value.stack;
  return { errorType: value.constructor?.name ?? 'UnknownError', errorMessage: value.message, stackTrace, ...value };
}

function json(level, values) {
  const entry = { timestamp: new Date().toISOString(), level, requestId: current.requestId };
  if (values.length === 1) {
    try {
      write(JSON.stringify({ ...entry, message: values[0] }, inJson));
    } catch {
      write(JSON.stringify({ ...entry, message: util.format(values[0]) }));
    }
    return;
  }
  entry.message = util.format(...values);
  const error = values.find((value) => value instanceof Error);
  if (error !== undefined) Object.assign(entry, inJson('', error));
  write(JSON.stringify(entry));
}

// Put Lambda's functions in place of console's. `logError(title, error)` is what the runtime itself writes.
function install(environment) {
  const isJson = environment.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === 'JSON';
  const wanted = Math.max(0, LEVELS.indexOf(environment.AWS_LAMBDA_LOG_LEVEL?.toUpperCase() ?? ''));
  const log = isJson ? json : text;
  for (const [method, level] of Object.entries(METHODS)) {
    console[method] = LEVELS.indexOf(level) < wanted ? () => {} : (...values) => log(level, values);
  }
  const logError = (title, error) => {
    if (isJson) console.error(errors.asError(error));
    else console.error(title, `\t${errors.line(errors.asError(error))}`);
  };
  return { logError };
}

module.exports = { current, install };

// The Node.js runtime: loads the handler, then asks the Runtime API for one event after the other.
'use strict';

const { Connection } = require('./connection.cjs');
const { current, install } = require('./console.cjs');
const errors = require('./errors.cjs');
const { awslambda, describe, find } = require('./handler.cjs');
const { Invocation } = require('./invocation.cjs');
const { HttpResponseStream, ResponseStream } = require('./stream.cjs');

const environment = process.env;
const { logError } = install(environment);
const connection = new Connection(environment.AWS_LAMBDA_RUNTIME_API);

const EXIT_UNCAUGHT = 129;
const EXIT_REJECTION = 128;
const NO_END =
  'The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that ' +
  'was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes';

let idle = () => {};
let running = null; // {id, stream} while an invocation runs

function whenIdle(action) {
  idle = action;
}

process.on('beforeExit', () => {
  const action = idle;
  idle = () => {};
  action();
});

function serialize(value) {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch {
    throw new Error('Unable to stringify response body');
  }
}

function postError(over, path, error) {
  const body = errors.body(error);
  const type = String(body.errorType).replace(/[^\x20-\x7e]/g, '?');
  return over.request('POST', path, JSON.stringify(body), `Lambda-Runtime-Function-Error-Type: ${type}\r\n`);
}

function postFailure(error) {
  if (running === null) return postError(new Connection(connection.address), 'init/error', error);
  if (running.stream?.started) return running.stream.fail(error);
  return postError(new Connection(connection.address), `invocation/${running.id}/error`, error);
}

function die(title, error, code) {
  logError(title, error);
  const exit = () => process.exit(code);
  postFailure(error).then(exit, exit);
}

process.on('uncaughtException', (error) => die('Uncaught Exception', error, EXIT_UNCAUGHT));
process.on('unhandledRejection', (reason, promise) => {
  die('Unhandled Promise Rejection', new errors.UnhandledPromiseRejection(reason, promise), EXIT_REJECTION);
});

async function postOutcome(id, { error, value }) {
  let body;
  if (error === undefined) {
    try {
      body = serialize(value);
    } catch (problem) {
      error = problem;
    }
  }
  if (error === undefined) return connection.request('POST', `invocation/${id}/response`, body);
  logError('Invoke Error', error);
  return postError(connection, `invocation/${id}/error`, error);
}

async function invoke(handler, traits, { headers, body }) {
  const invocation = new Invocation(whenIdle);
  whenIdle(() => {
    invocation.end(traits.isAsync ? new errors.RuntimeError('NodeJsExit', NO_END) : null, null);
  });
  try {
    const context = invocation.context(headers, environment);
    const returned = handler(JSON.parse(body), context, (error, value) => invocation.callback(error, value));
    if (typeof returned?.then === 'function') returned.then(context.succeed, context.fail);
  } catch (error) {
    invocation.done(error ?? 'handled');
  }
  await postOutcome(running.id, await invocation.result);
}

async function runStreaming(handler, traits, { headers, body }) {
  const stream = new ResponseStream(connection, running.id, traits.highWaterMark);
  running.stream = stream;
  const finished = new Promise((resolve, reject) => {
    stream.once('finish', resolve).once('error', reject);
  });
  finished.catch(() => {});
  try {
    const context = new Invocation(whenIdle).context(headers, environment);
    for (const name of ['succeed', 'fail', 'done']) delete context[name];
    const returned = handler(JSON.parse(body), stream, context);
    if (typeof returned?.then !== 'function') throw new Error('Streaming does not support non-async handlers.');
    if ((await returned) !== undefined) console.warn('Streaming handlers ignore return values.');
    if (!stream.writableEnded) throw new Error('Response stream is not finished.');
    await finished;
    await stream.answered;
  } catch (error) {
    logError('Invoke Error', error);
    if (stream.started) await stream.fail(error);
    else await postError(connection, `invocation/${running.id}/error`, error);
  }
}

async function serve(handler, traits) {
  const run = traits.streaming ? runStreaming : invoke;
  for (;;) {
    const event = await connection.request('GET', 'invocation/next');
    if (event.status !== 200) throw new Error(`the Runtime API answered ${event.status}`);
    running = { id: event.headers['lambda-runtime-aws-request-id'], stream: null };
    current.requestId = running.id;
    const trace = event.headers['lambda-runtime-trace-id'];
    if (trace === undefined) delete environment._X_AMZN_TRACE_ID;
    else environment._X_AMZN_TRACE_ID = trace;
    await run(handler, traits, event);
  }
}

function warn(traits) {
  const major = Number(/nodejs(\d+)/.exec(environment.AWS_EXECUTION_ENV ?? '')?.[1]);
  if (major >= 24 && traits.takesCallback && !traits.isAsync && !traits.streaming) {
    console.warn(`nodejs${major}.x on AWS refuses handlers that take a callback; here it is called`);
  }
}

async function main() {
  if (!['1', 'true'].includes(environment.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA)) {
    globalThis.awslambda = { ...awslambda, HttpResponseStream };
  }
  const handler = await find(environment.LAMBDA_TASK_ROOT, environment._HANDLER);
  const traits = describe(handler);
  warn(traits);
  await serve(handler, traits);
}

main().catch((error) => {
  if (error instanceof errors.RuntimeError && error.message.includes('@aws-sdk/')) {
    console.warn('the AWS SDK is part of Lambda, not of this machine: put it into the package or into a layer');
  }
  die('Uncaught Exception', error, EXIT_UNCAUGHT);
});

// One invocation: the context a handler is given, and how it ends (callback, promise, context.done, empty event loop).
'use strict';

function parsed(text, name) {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`Cannot parse ${name} as json: ${error}`);
  }
}

// The fields of context that describe the function and the request.
function fields(headers, environment) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  return {
    functionVersion: environment.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: environment.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: environment.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: environment.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: environment.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parsed(headers['lambda-runtime-client-context'], 'ClientContext'),
    identity: parsed(headers['lambda-runtime-cognito-identity'], 'CognitoIdentity'),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    tenantId: headers['lambda-runtime-aws-tenant-id'],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

const isGiven = (error) => error !== undefined && error !== null;

// An invocation in progress. `result` is a promise of {value} or {error}; whoever ends the invocation first decides.
// `whenIdle(action)` runs `action` once, when the event loop is empty.
class Invocation {
  constructor(whenIdle) {
    this.waitForIdle = true;
    this.isDecided = false;
    this.whenIdle = whenIdle;
    this.result = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  end(error, value) {
    this.isDecided = true;
    this.whenIdle(() => {});
    this.settle(isGiven(error) ? { error } : { value });
  }

  done(error, value) {
    if (!this.isDecided) this.end(error, value);
  }

  // A callback without an error waits for the rest of the handler's work, unless the context says otherwise.
  callback(error, value) {
    if (this.isDecided) return;
    if (isGiven(error) || !this.waitForIdle) {
      this.end(error, value);
    } else {
      this.isDecided = true;
      this.whenIdle(() => this.end(null, value));
    }
  }

  context(headers, environment) {
    const invocation = this;
    return {
      get callbackWaitsForEmptyEventLoop() {
        return invocation.waitForIdle;
      },
      set callbackWaitsForEmptyEventLoop(value) {
        invocation.waitForIdle = value;
      },
      succeed: (value) => invocation.done(null, value),
      fail: (error) => invocation.done(isGiven(error) ? error : 'handled'),
      done: (error, value) => invocation.done(error, value),
      ...fields(headers, environment),
    };
  }
}

module.exports = { Invocation };

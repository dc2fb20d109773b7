// Errors as Lambda shows them: {errorType, errorMessage, trace} to the caller, one line in the log.
'use strict';

const util = require('util');

class RuntimeError extends Error {
  constructor(type, message) {
    super(message);
    Object.defineProperty(this, 'name', { value: `Runtime.${type}`, configurable: true, writable: true });
  }
}

class UnhandledPromiseRejection extends RuntimeError {
  constructor(reason, promise) {
    super('UnhandledPromiseRejection', String(reason));
    this.reason = reason;
    this.promise = promise;
  }
}

function isError(value) {
  if (util.types.isNativeError(value)) return true;
  return Boolean(value) && ['name', 'message', 'stack'].every((key) => typeof value[key] === 'string');
}

// The body of an error: whatever was thrown has one.
function body(error) {
  try {
    if (isError(error)) {
      const trace = typeof error.stack === 'string' ? error.stack.split('\n') : [];
      return { errorType: error.name, errorMessage: error.message, trace };
    }
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  } catch {
    const errorMessage = 'an error was given whose name, message or stack cannot be read';
    return { errorType: 'handled', errorMessage };
  }
}

function shown(_key, value) {
  if (!(value instanceof Error)) return value;
  const known = { errorType: value.name, errorMessage: value.message, code: value.code, ...value };
  if (typeof value.stack === 'string') known.stack = value.stack.split('\n');
  return known;
}

// The error in one line of a text log, with all it carries.
function line(error) {
  try {
    return JSON.stringify(error, shown);
  } catch {
    return JSON.stringify(body(error));
  }
}

const asError = (value) => (value instanceof Error ? value : new Error(String(value)));

module.exports = { RuntimeError, UnhandledPromiseRejection, asError, body, line };

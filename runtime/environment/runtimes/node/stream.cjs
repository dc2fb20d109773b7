// The response stream of functions wrapped in awslambda.streamifyResponse: a chunked POST to the Runtime API.
'use strict';

const { Writable } = require('stream');
const errors = require('./errors.cjs');

const { RuntimeError } = errors;
const PRELUDE_TYPE = 'application/vnd.awslambda.http-integration-response';
const ERROR_TYPE = 'Lambda-Runtime-Function-Error-Type';
const ERROR_BODY = 'Lambda-Runtime-Function-Error-Body';

const framed = (data) => Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')]);

class ResponseStream extends Writable {
  #connection;
  #path;
  #contentType = 'application/octet-stream';
  #socket = null;
  #answered;

  constructor(connection, requestId, highWaterMark) {
    super({ highWaterMark, decodeStrings: true });
    this.#connection = connection;
    this.#path = `/2018-06-01/runtime/invocation/${requestId}/response`;
    this._onBeforeFirstWrite = undefined;
  }

  get started() {
    return this.#socket !== null;
  }

  // Resolves when the Runtime API has taken the whole response; undefined before the first byte.
  get answered() {
    return this.#answered;
  }

  setContentType(contentType) {
    if (this.started) throw new RuntimeError('InvalidStreamingOperation', 'Cannot set content-type, too late.');
    this.#contentType = contentType;
  }

  write(chunk, encoding, callback) {
    const plain = typeof chunk === 'string' || Buffer.isBuffer(chunk) || chunk instanceof Uint8Array;
    return super.write(plain ? chunk : JSON.stringify(chunk), encoding, callback);
  }

  #start() {
    if (this.started) return;
    this.#answered = this.#connection.exchange((socket) => {
      this.#socket = socket;
      socket.write(
        `POST ${this.#path} HTTP/1.1\r\nHost: ${this.#connection.address}\r\n` +
          `Lambda-Runtime-Function-Response-Mode: streaming\r\nContent-Type: ${this.#contentType}\r\n` +
          `Transfer-Encoding: chunked\r\nTrailer: ${ERROR_TYPE}, ${ERROR_BODY}\r\n\r\n`,
      );
    });
    this.#answered.catch(() => {});
    this._onBeforeFirstWrite?.((data) => this.#send(Buffer.from(data)));
  }

  #send(data, callback) {
    if (data.length === 0) callback?.();
    else this.#socket.write(framed(data), callback);
  }

  _write(chunk, _encoding, callback) {
    this.#start();
    this.#send(chunk, callback);
  }

  _final(callback) {
    this.#start();
    this.#socket.write('0\r\n\r\n', callback);
  }

  // End the response with an error in its trailers: what was written before stays written.
  fail(error) {
    const body = errors.body(error);
    const encoded = Buffer.from(JSON.stringify(body)).toString('base64');
    const type = String(body.errorType).replace(/[^\x20-\x7e]/g, '?');
    this.#socket.write(`0\r\n${ERROR_TYPE}: ${type}\r\n${ERROR_BODY}: ${encoded}\r\n\r\n`);
    return this.#answered;
  }
}

// What functions answer HTTP with: status code, headers and cookies before the body.
class HttpResponseStream {
  static from(stream, prelude) {
    stream.setContentType(PRELUDE_TYPE);
    const head = JSON.stringify(prelude);
    stream._onBeforeFirstWrite = (write) => {
      write(head);
      write(new Uint8Array(8));
    };
    return stream;
  }
}

module.exports = { HttpResponseStream, ResponseStream };

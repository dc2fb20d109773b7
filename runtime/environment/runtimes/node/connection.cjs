// The Runtime API over one kept-alive connection: one request at a time, each answered with a Content-Length.
'use strict';

const net = require('net');

const PREFIX = '/2018-06-01/runtime/';
const HEAD_END = '\r\n\r\n';
const EMPTY = Buffer.alloc(0);

class Connection {
  constructor(address) {
    const colon = address.lastIndexOf(':');
    this.host = address.slice(0, colon);
    this.port = Number(address.slice(colon + 1));
    this.address = address;
    this.socket = null;
    this.received = EMPTY;
    this.waiting = null;
  }

  // Resolves with {status, headers, body} (header names in lower case).
  request(method, path, body, headers = '') {
    const length = body === undefined ? 0 : Buffer.byteLength(body);
    const head = `${method} ${PREFIX}${path} HTTP/1.1\r\nHost: ${this.address}\r\n${headers}`;
    return this.exchange((socket) => {
      if (body === undefined) {
        socket.write(`${head}\r\n`);
      } else if (typeof body === 'string') {
        socket.write(`${head}Content-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`);
      } else {
        socket.write(`${head}Content-Length: ${length}\r\n\r\n`);
        socket.write(body);
      }
    });
  }

  // Resolves with the answer to what `write(socket)` sends. The connection keeps the process alive only meanwhile.
  exchange(write) {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      const socket = this.open();
      socket.ref();
      write(socket);
    });
  }

  open() {
    if (this.socket === null) {
      const socket = net.connect({ host: this.host, port: this.port, noDelay: true });
      socket.on('data', (data) => this.read(data));
      socket.on('error', (error) => this.lost(error));
      socket.on('close', () => this.lost(new Error('the Runtime API closed the connection')));
      this.socket = socket;
      this.received = EMPTY;
    }
    return this.socket;
  }

  read(data) {
    this.received = this.received.length === 0 ? data : Buffer.concat([this.received, data]);
    const end = this.received.indexOf(HEAD_END);
    if (end < 0) return;
    const lines = this.received.latin1Slice(0, end).split('\r\n');
    const headers = {};
    for (let index = 1; index < lines.length; index += 1) {
      const colon = lines[index].indexOf(':');
      headers[lines[index].slice(0, colon).toLowerCase()] = lines[index].slice(colon + 1).trim();
    }
    const from = end + HEAD_END.length;
    const to = from + Number(headers['content-length'] || 0);
    if (this.received.length < to) return;
    const answer = { status: Number(lines[0].split(' ')[1]), headers, body: this.received.subarray(from, to) };
    this.received = this.received.subarray(to);
    const waiting = this.waiting;
    this.waiting = null;
    this.socket.unref();
    if (waiting !== null) waiting.resolve(answer);
  }

  lost(error) {
    this.socket = null;
    const waiting = this.waiting;
    this.waiting = null;
    if (waiting !== null) waiting.reject(error);
  }
}

module.exports = { Connection };

// Nothing in these tests leaves this machine: a connection to anywhere else is an error, whoever opens it (`--import`).
import { Socket } from 'node:net';

const HERE = new Set(['127.0.0.1', '::1', 'localhost']);
const { connect } = Socket.prototype;

Socket.prototype.connect = function (...args) {
  const [options] = args.flat();
  const host = typeof options === 'object' ? (options.path ? '127.0.0.1' : options.host) : args.flat()[1];
  if (!HERE.has(host ?? 'localhost')) throw new Error(`a test reaches for ${host}`);
  return connect.apply(this, args);
};

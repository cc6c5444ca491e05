import { createServer, type Server } from 'node:http';
import { Clients, type ClientsOptions } from './clients.js';
import { refusalOf, strangeExpectation } from './refusal.js';

/** A server that does not listen yet. Whatever a client sends, others are served, and what it costs has its limits. */
export function createHttpServer(options: ClientsOptions): Server {
  const { limits } = options;
  const server = createServer({
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    connectionsCheckingInterval: limits.checkMs,
    // Who sends none is told so like everybody else, not in Node's words.
    requireHostHeader: false,
  });
  server.timeout = limits.stalledMs;
  // A client may say that it has nothing more to ask, and still wants its answer; Node's types don't know this one.
  Object.assign(server, { httpAllowHalfOpen: true });
  const clients = new Clients(options);
  server.on('connection', (stream) => clients.admit(stream));
  server.on('request', (incoming, outgoing) => clients.serve({ incoming, outgoing }));
  server.on('checkExpectation', (incoming, outgoing) =>
    clients.serve({ incoming, outgoing, refusal: strangeExpectation }),
  );
  server.on('clientError', (error, stream) => clients.end(stream, refusalOf(error)));
  server.on('connect', ({ method = '', url = '' }, stream) => clients.end(stream, { method, url }));
  return server;
}

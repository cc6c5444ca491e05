/**
 * Sends one HTTP request, from whichever network this process is in: `node http-request-main.js METHOD URL`, the body, if
 * there is one, on standard input. Prints the answer as JSON. No header is sent but those that HTTP needs.
 */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

const [, , method = 'GET', url = ''] = process.argv;
const sent = request(url, { method, agent: false });
sent.end(await text(process.stdin));
const [response] = (await once(sent, 'response')) as [IncomingMessage];
const { statusCode: status, headers } = response;
process.stdout.write(JSON.stringify({ status, headers, body: await text(response) }));

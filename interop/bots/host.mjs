// A bot's web server: takes activities at /api/messages, as the SDKs' own samples do with express or restify.
import { once } from 'node:events';
import { createServer } from 'node:http';

/**
 * `process(request, response)` is an SDK's adapter at work. `seen` is what came, before any SDK read it. `instead(answer)` has
 * the next one answered by `answer(response)`: for a bot that fails, or takes its time.
 */
export async function host(process) {
  const seen = [];
  const others = [];
  const server = createServer(async (request, response) => {
    if (request.url !== '/api/messages') return response.writeHead(404).end();
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    request.body = JSON.parse(Buffer.concat(chunks).toString());
    seen.push(structuredClone(request.body));
    const other = others.shift();
    try {
      if (other) return await other(response);
      await process(request, answering(response));
    } catch (error) {
      console.error(error);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    seen,
    instead: answer => void others.push(answer),
    url: `http://127.0.0.1:${server.address().port}/api/messages`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  };
}

/** What the SDKs expect of a web framework's response, on top of Node's own. */
function answering(response) {
  return Object.assign(response, {
    status(code) {
      response.statusCode = code;
      return response;
    },
    header(name, value) {
      response.setHeader(name, value);
      return response;
    },
    send(body) {
      if (typeof body === 'string') return response.end(body);
      if (!response.hasHeader('content-type')) response.setHeader('Content-Type', 'application/json');
      return response.end(JSON.stringify(body));
    }
  });
}

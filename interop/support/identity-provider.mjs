// What login.botframework.com and the login service are to a bot, on loopback: metadata, keys, and tokens for apps that know their
// secret. One key signs for both.
import { createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

/** The tenant in which multi-tenant bots get their tokens. */
export const TENANT = 'd6d49420-f39b-4df7-a1dc-d59a935871db';

const encoded = value => Buffer.from(JSON.stringify(value)).toString('base64url');

export async function startIdentityProvider(apps) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = randomUUID();
  const given = [];

  function sign(claims) {
    const now = Math.floor(Date.now() / 1000);
    const dated = { iat: now, nbf: now, exp: now + 3600, ...claims };
    const signed = `${encoded({ alg: 'RS256', typ: 'JWT', kid })}.${encoded(dated)}`;
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')}`;
  }

  function token(form) {
    const [id, audience] = [form.get('client_id'), /^(.+)\/\.default$/u.exec(form.get('scope') ?? '')?.[1]];
    if (form.get('grant_type') !== 'client_credentials' || !audience) return [400, { error: 'invalid_request' }];
    if (!Object.hasOwn(apps, id) || apps[id] !== form.get('client_secret')) return [401, { error: 'invalid_client' }];
    const iss = `https://sts.windows.net/${TENANT}/`;
    const access_token = sign({ iss, aud: audience, appid: id, tid: TENANT, ver: '1.0' });
    given.push({ id, audience });
    return [200, { token_type: 'Bearer', expires_in: 3600, access_token }];
  }

  const server = createServer(async (request, response) => {
    const answer = (status, body) =>
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    const path = request.url;
    if (path.endsWith('/keys')) return answer(200, { keys: [{ ...publicKey.export({ format: 'jwk' }), use: 'sig', kid }] });
    if (/\/\.well-known\/openid-?configuration$/u.test(path)) {
      return answer(200, { issuer: 'https://api.botframework.com', jwks_uri: `${url}/keys` });
    }
    if (path.endsWith('/oauth2/v2.0/token')) return answer(...token(new URLSearchParams(await text(request))));
    answer(404, {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}`;
  return {
    url,
    /** To whom tokens were given, and for whom. */
    given,
    sign,
    channelMetadata: `${url}/v1/.well-known/openidconfiguration`,
    loginMetadata: `${url}/botframework.com/v2.0/.well-known/openid-configuration`,
    tokenUrl: `${url}/botframework.com/oauth2/v2.0/token`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  };
}

// A real OpenID provider for the identity tests: certified code, a free port, one client that gets
// JWT access tokens by client_credentials. Prints {"issuer","tokenEndpoint","jwksUri"} as one line, then serves
// until its input closes, so that it never outlives the test that started it.
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const audience = process.env.AUDIENCE ?? 'markethall';
const tenant = process.env.TENANT;
const permissions = (process.env.PERMISSIONS ?? '').split(',').filter(Boolean);

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'till', client_secret: 'till-secret', grant_types: ['client_credentials'],
      redirect_uris: [], response_types: [],
    }],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => `urn:${audience}`,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: '', audience, accessTokenTTL: 300, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    extraTokenClaims: () => ({ sub: 'till', ...(tenant && { tenant }), ...(permissions.length && { permissions }) }),
  });
  server.on('request', provider.callback());
  console.log(JSON.stringify({ issuer, tokenEndpoint: `${issuer}/token`, jwksUri: `${issuer}/jwks` }));
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));

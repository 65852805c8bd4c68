// The SDK's credentials with a secret, all of them but for the last step: its MicrosoftAppCredentials ask by way of MSAL, which takes no
// login service by http, and so none on loopback. What is asked is the same (RFC 6749, section 4.4).
import { AppCredentials, ServiceClientCredentialsFactory } from 'botframework-connector';

export class LoopbackCredentials extends AppCredentials {
  constructor(provider, appId, secret, scope) {
    super(appId, undefined, scope);
    this.provider = provider;
    this.secret = secret;
  }

  async refreshToken() {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: this.appId,
      client_secret: this.secret,
      scope: this.oAuthScope.endsWith('/.default') ? this.oAuthScope : `${this.oAuthScope}/.default`
    });
    const response = await fetch(this.provider.tokenUrl, { method: 'POST', body: form });
    const said = await response.json();
    if (!response.ok) throw new Error(said.error);
    return { accessToken: said.access_token, expiresOn: new Date(Date.now() + said.expires_in * 1000) };
  }
}

/** The app and its secret, as the SDK asks for them. */
export class LoopbackCredentialsFactory extends ServiceClientCredentialsFactory {
  constructor(provider, appId, secret) {
    super();
    Object.assign(this, { provider, appId, secret });
  }

  async isValidAppId(appId) {
    return appId === this.appId;
  }

  async isAuthenticationDisabled() {
    return false;
  }

  async createCredentials(appId, audience) {
    return new LoopbackCredentials(this.provider, appId, this.secret, audience);
  }
}

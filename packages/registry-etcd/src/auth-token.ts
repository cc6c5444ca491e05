import { InterceptingCall, type Interceptor } from '@grpc/grpc-js';
import type { Etcd3 } from 'etcd3';
import { translateError } from './translate-error.js';

export interface EtcdCredentials {
  readonly user: string;
  readonly password: string;
}

/** etcd's texts for a token that is too old, by time or because users have changed since. It has done nothing then. */
const tooOld = /etcdserver: (invalid auth token|revision of auth store is old)/;

/** In other words than etcd's: at those etcd3 repeats the call for as long as etcd says them. */
const ranOut = 'etcdserver: auth token ran out';

/**
 * What a host gives for a password. etcd3 could ask for it as well, but opens a connection for each attempt, and closes
 * none.
 */
export class AuthToken {
  readonly #credentials: EtcdCredentials;
  #token: string | undefined;
  #asking: Promise<void> | undefined;

  constructor(credentials: EtcdCredentials) {
    this.#credentials = credentials;
  }

  /** Puts the token on calls, and forgets one that etcd no longer takes. */
  readonly interceptor: Interceptor = (options, next) =>
    new InterceptingCall(next(options), {
      start: (metadata, _listener, start) => {
        const token = this.#token;
        if (token !== undefined) metadata.set('token', token);
        start(metadata, {
          onReceiveStatus: (received, pass) => {
            if (!tooOld.test(received.details)) {
              pass(received);
              return;
            }
            if (this.#token === token) this.#token = undefined;
            pass({ ...received, details: ranOut });
          },
        });
      },
    });

  /** Makes a call with a token, and once more if that has run out. */
  async use<T>(client: Etcd3, call: (client: Etcd3) => Promise<T>): Promise<T> {
    await this.#ensure(client);
    try {
      return await call(client);
    } catch (error) {
      if (!(error instanceof Error && error.message.includes(ranOut))) throw error;
      await this.#ensure(client);
      return await call(client);
    }
  }

  async #ensure(client: Etcd3): Promise<void> {
    if (this.#token !== undefined) return;
    this.#asking ??= this.#ask(client).finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  async #ask(client: Etcd3): Promise<void> {
    const { user: name, password } = this.#credentials;
    try {
      this.#token = (await client.auth.authenticate({ name, password })).token;
    } catch (error) {
      // Whatever it was for, a write was not begun.
      throw translateError(error, false);
    }
  }
}

/** Header values by lower-case name, one for each time that the header was sent. */
export type HeaderValues = Readonly<Record<string, readonly string[] | undefined>>;

/** What is wrong with a request before any resource is asked; the message is for the client. */
export interface Refusal {
  readonly status: 400 | 408 | 413 | 417 | 431 | 503;
  readonly message: string;
}

/** A request with all of its body. */
export interface ApiRequest {
  readonly method: string;
  /** The request target as it was sent: path and query, still encoded. */
  readonly url: string;
  readonly headers: HeaderValues;
  readonly body: Uint8Array;
  /** What is wrong with it as HTTP. There is no body then, and there may be no method, target and headers. */
  readonly refusal?: Refusal;
  /** What it came through. Who can write to the unix socket is trusted with any Host. */
  readonly door: 'unix' | 'tcp';
}

export interface ApiResponse {
  readonly status: number;
  /** Without `Content-Length`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Empty if there is none. */
  readonly body: string;
}

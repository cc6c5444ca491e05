import type { ApiDeps } from './deps.js';
import type { ApiRequest, ApiResponse } from './request.js';

/** A request that has found its resource. */
export interface RoutedRequest {
  readonly deps: ApiDeps;
  readonly request: ApiRequest;
  readonly query: URLSearchParams;
  /** The segment of the path that is a name, decoded; empty if the resource has none. */
  readonly name: string;
}

export type Handler = (routed: RoutedRequest) => ApiResponse | Promise<ApiResponse>;

/** What answers on a path. */
export interface Resource {
  /** By method. Everything else is answered with 405. */
  readonly handlers: ReadonlyMap<string, Handler>;
  /** The 405's text. */
  readonly wrongMethod: string;
  /** It answers 503 while the store is away. */
  readonly needsStore: boolean;
}

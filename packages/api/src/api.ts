import type { ApiDeps } from './deps.js';
import { findForeign } from './guard.js';
import type { ApiRequest, ApiResponse } from './request.js';
import { awayText, failure } from './responses.js';
import { createRouter, isOfV1, type Route } from './routes.js';
import { parseTarget, type Target } from './target.js';
import { answerOf, verdictOnError } from './verdict.js';

/** From a request to its response. Never rejects; what goes wrong is in the log, and is a 500 to the client. */
export type Handle = (request: ApiRequest) => Promise<ApiResponse>;

/**
 * The HTTP API without sockets. It keeps nothing between requests, so any number of them may run on any number of
 * machines over one store.
 */
export function createApi(deps: ApiDeps): Handle {
  const findRoute = createRouter();
  const hostNames = new Set(deps.hostNames.map((name) => name.toLowerCase()));
  const server = `fleetd/${deps.version}`;
  return async (request) => {
    const answered = deps.metrics?.begin();
    const target = parseTarget(request.url);
    const route = target.kind === 'path' ? findRoute(target.path) : undefined;
    const { status, headers, body } = await answer(request, target, route).catch((error: unknown) =>
      answerError(request, error),
    );
    answered?.({ route: route?.pattern, method: request.method, status });
    deps.log.debug('request', { method: request.method, url: request.url, status });
    return { status, headers: { Server: server, ...headers }, body };
  };

  async function answer(request: ApiRequest, target: Target, route: Route | undefined): Promise<ApiResponse> {
    const { refusal } = request;
    if (refusal !== undefined) return failure(refusal.status, refusal.message);
    const foreign = findForeign(request, hostNames);
    if (foreign !== undefined) return failure(403, foreign);
    if (target.kind === 'malformed') return failure(400, 'malformed URL');
    if (target.kind === 'moved') return { status: 301, headers: { Location: target.location }, body: '' };
    if (route === undefined) return isOfV1(target.path) && !deps.isReady() ? failure(503, awayText) : failure(404);
    return answerRoute(route, request, target.query);
  }

  async function answerRoute({ resource, name }: Route, request: ApiRequest, query: URLSearchParams) {
    if (resource.needsStore && !deps.isReady()) return failure(503, awayText);
    const handler = resource.handlers.get(request.method);
    if (handler === undefined) {
      const refusal = failure(405, resource.wrongMethod);
      return { ...refusal, headers: { Allow: [...resource.handlers.keys()].join(', '), ...refusal.headers } };
    }
    return handler({ deps, request, query, name });
  }

  function answerError({ method, url }: ApiRequest, error: unknown): ApiResponse {
    deps.log.error('request failed', { method, url, error });
    return answerOf(verdictOnError(error));
  }
}

import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { json } from './responses.js';

/** `GET /healthz`: this process answers. */
export function getHealth({ deps }: RoutedRequest): ApiResponse {
  return json({ version: deps.version });
}

/** `GET /readyz`: 200 when this machine is registered and reaches the store, else 503. */
export function getReadiness({ deps }: RoutedRequest): ApiResponse {
  const isReady = deps.isReady();
  return json({ ready: isReady }, isReady ? 200 : 503);
}

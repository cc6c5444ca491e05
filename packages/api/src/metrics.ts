import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { failure } from './responses.js';

/** `/metrics`: what is counted here, from memory. */
export async function getMetrics({ deps, request }: RoutedRequest): Promise<ApiResponse> {
  if (deps.metrics === undefined) return failure(404);
  const { contentType, text } = await deps.metrics.expose();
  return { status: 200, headers: { 'Content-Type': contentType }, body: request.method === 'HEAD' ? '' : text };
}

export { createApi, type Handle } from './api.js';
export type { Alarm, AnsweredRequest, ApiDeps, ApiMetrics } from './deps.js';
export { ListenError } from './errors.js';
export { HandleSwitch, type HandleSwitchOptions } from './handle-switch.js';
export type { ListenerOptions, Listening } from './listener.js';
export type { ApiRequest, ApiResponse, HeaderValues } from './request.js';
export { type ApiServer, type ServeApiOptions, serveApi } from './server.js';

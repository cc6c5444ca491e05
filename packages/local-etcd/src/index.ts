export { findObjection } from './listeners.js';
export { LocalEtcd, type LocalEtcdOptions } from './local-etcd.js';
export { localEtcdUnit } from './places.js';

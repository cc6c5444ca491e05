export type { EtcdStoreOptions, EtcdTls } from './connection.js';
export { createEtcdStore } from './etcd-store.js';

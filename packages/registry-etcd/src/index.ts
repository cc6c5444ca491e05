export type { EtcdTls } from './client-set.js';
export type { EtcdStoreOptions } from './connection.js';
export { createEtcdStore } from './etcd-store.js';
export type { StoreOperation, StoreTrouble, StoreTroubleKind } from './store-trouble.js';

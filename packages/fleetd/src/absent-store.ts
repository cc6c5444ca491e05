import { type Store, StoreError } from '@flotilla/registry';

const refuse = () => Promise.reject(new StoreError('unavailable', 'there is no store yet'));

/** Stands for the store while there is none. */
export const absentStore: Store = {
  range: refuse,
  transact: refuse,
  watch: () => ({ close() {} }),
  grantLease: refuse,
  keepLeaseAlive: refuse,
  revokeLease: refuse,
  compact: refuse,
  readHealth: refuse,
  close: () => Promise.resolve(),
};

/** The unit that a host's own etcd runs as. */
export const localEtcdUnit = 'fleet-etcd.service';

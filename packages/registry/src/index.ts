export { type AdoptOutcome, adoptUnit } from './adopt-unit.js';
export {
  decodeLoss,
  decodeMachine,
  decodeMachineSettings,
  decodeMetadata,
  decodeSetting,
  isLimit,
} from './checked-records.js';
export { applyClaimant, type Claimant } from './claimant.js';
export {
  type ChangeClaimsOptions,
  type ClaimChange,
  type ClaimOutcome,
  type ClaimSide,
  changeClaims,
  type DropChange,
  type HoldChange,
} from './claims.js';
export {
  findUnitState,
  type KnownUnitState,
  listUnitStates,
  type UnitStateFilter,
} from './cluster-reader.js';
export { readStoreIdentity, type StoreIdentity, setUpStore } from './cluster-record.js';
export {
  joinDirectory,
  type KnownDirectoryHost,
  listDirectories,
  readClaims,
  removeDirectoryHost,
  writeDirectoryHost,
} from './directory-hosts.js';
export {
  type ConfirmOutcome,
  deleteDirectoryOrder,
  type KnownDirectoryOrder,
  orderConfirm,
  readDirectoryOrder,
} from './directory-orders.js';
export {
  type ClaimRecord,
  type DirectoryChange,
  type DirectoryConflict,
  type DirectoryHostRecord,
  type DirectoryOrderRecord,
  type DirectoryOwnerRecord,
  type DirectoryProblem,
  type HeldRemovals,
  type HoldReason,
  newDirectoryHost,
} from './directory-records.js';
export { Election, type ElectionOptions, type Leadership } from './election.js';
export { type Follower, type Following, type FollowOptions, follow, readRanges } from './follow.js';
export { type ForgetOutcome, type ForgottenDirectory, forgetClaims } from './forget-claims.js';
export { HeldPublisher } from './held-publisher.js';
export { keys, type ParsedKey, parseKey, ranges } from './keys.js';
export { type HeldLease, type HoldLeaseOptions, holdLease } from './lease.js';
export { type KnownLoss, listLosses, orderRelease, type ReleaseOutcome } from './losses.js';
export {
  changeMetadata,
  type MetadataChange,
  type MetadataChanges,
  type MetadataSources,
  readMetadataSources,
} from './machine-metadata.js';
export { type KnownMachine, listMachines } from './machine-reader.js';
export { changeMachineSettings, type MachineLimits, readMachineLimits } from './machine-settings.js';
export { MemoryStore } from './memory-store.js';
export {
  type ObserveStoreOptions,
  observeStore,
  type StoreObserver,
  type StoreOperationKind,
} from './observed-store.js';
export { type OwnedUnit, readOwnedUnits } from './owned-units.js';
export type { Page, PageRequest } from './page.js';
export {
  type CommitOptions,
  type CommitOutcome,
  commitPlan,
  type PlanOperation,
  type PlanWrite,
} from './plan-writer.js';
export {
  type ClusterRecord,
  type CompactionRecord,
  decodeRecord,
  encodeRecord,
  type HeldRecord,
  type LeaderRecord,
  type LossRecord,
  type LossState,
  type MachineRecord,
  type MachineSettingsRecord,
  type MemberRecord,
  type MetadataRecord,
  type PlacementRecord,
  type ReasonRecord,
  type ReleaseRecord,
  type RestartRecord,
  type ScheduleRecord,
  type SettingRecord,
  type StateRecord,
  type UnfreezeRecord,
  type UnfreezeWord,
  type UnitRecord,
  type UpdateRecord,
} from './records.js';
export { Registration, type RegistrationOptions } from './registration.js';
export { findRecord, type RegistryAccess } from './registry-access.js';
export type { LeaseStorage, SavedLease } from './saved-lease.js';
export { readSettings, writeSettings } from './settings.js';
export { StatePublisher, type StatePublisherOptions } from './state-publisher.js';
export type { UnitRow } from './state-rows.js';
export {
  type CompactOutcome,
  type Compare,
  type KeyRange,
  type KeyValue,
  type LeaseGrant,
  type LeaseId,
  maxTransactionSize,
  type Operation,
  prefixRange,
  type RangeRequest,
  type RangeResult,
  type Revision,
  type Store,
  StoreError,
  type StoreErrorCode,
  type Transaction,
  type TransactionResult,
  type Watch,
  type WatchBreak,
  type WatchEvent,
  type WatchListener,
  type WatchRange,
  type WatchRequest,
} from './store.js';
export {
  type AnsweringMember,
  type MemberHealth,
  type RaisedAlarm,
  refusalText,
  type SilentMember,
  type StoreAlarm,
  type StoreAlarmCode,
  type StoreHealth,
  type StoreRefusal,
  slowCommitMs,
  storeAlarms,
} from './store-health.js';
export { type Inspection, StoreInspector } from './store-inspector.js';
export { readStoredUnits, type StoredUnit } from './stored-units.js';
export { orderUnfreeze, type UnfreezeOutcome } from './unfreeze.js';
export {
  type NoUnfreezePlan,
  readUnfreezeEffects,
  type UnfreezeEffect,
  type UnfreezePlan,
  type UnfreezeReason,
} from './unfreeze-effects.js';
export type { Owned, UnitChange, UnitChangeEffect, UnitChangeRefusal, UnitContent } from './unit-change.js';
export { type DeleteUnitOutcome, deleteUnit, deleteUnits } from './unit-deleter.js';
export type { PutUnitOutcome, UnitResult } from './unit-edit.js';
export { putUnit, putUnits } from './unit-editor.js';
export { findUnit, type KnownUnit, listUnits } from './unit-reader.js';
export { type RestartOutcome, type RestartRefusal, restartUnit } from './unit-restart.js';
export { isBorneOut, type Witness, witnessOf, witnessReads } from './witness.js';

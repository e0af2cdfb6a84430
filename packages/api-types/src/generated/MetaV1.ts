// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.

/** `io.k8s.apimachinery.pkg.apis.meta.v1.APIGroup` */
export interface APIGroup {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly versions: ReadonlyArray<GroupVersionForDiscovery>
  readonly preferredVersion?: GroupVersionForDiscovery
  readonly serverAddressByClientCIDRs?: ReadonlyArray<ServerAddressByClientCIDR>
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.APIGroupList` */
export interface APIGroupList {
  readonly apiVersion: string
  readonly kind: string
  readonly groups: ReadonlyArray<APIGroup>
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.APIResource` */
export interface APIResource {
  readonly name: string
  readonly singularName: string
  readonly namespaced: boolean
  readonly group?: string
  readonly version?: string
  readonly kind: string
  readonly verbs: ReadonlyArray<string>
  readonly shortNames?: ReadonlyArray<string>
  readonly categories?: ReadonlyArray<string>
  readonly storageVersionHash?: string
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList` */
export interface APIResourceList {
  readonly apiVersion: string
  readonly kind: string
  readonly groupVersion: string
  readonly resources: ReadonlyArray<APIResource>
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.APIVersions` */
export interface APIVersions {
  readonly apiVersion: string
  readonly kind: string
  readonly versions: ReadonlyArray<string>
  readonly serverAddressByClientCIDRs: ReadonlyArray<ServerAddressByClientCIDR>
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.ApplyOptions` */
export interface ApplyOptions {
  readonly apiVersion: string
  readonly kind: string
  readonly dryRun?: ReadonlyArray<string>
  readonly force: boolean
  readonly fieldManager: string
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.Condition` */
export interface Condition {
  readonly type: string
  readonly status: string
  readonly observedGeneration?: number
  readonly lastTransitionTime: string
  readonly reason: string
  readonly message: string
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.CreateOptions` */
export interface CreateOptions {
  readonly apiVersion: string
  readonly kind: string
  readonly dryRun?: ReadonlyArray<string>
  readonly fieldManager?: string
  readonly fieldValidation?: string
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions` */
export interface DeleteOptions {
  readonly apiVersion: string
  readonly kind: string
  readonly gracePeriodSeconds?: number
  readonly preconditions?: Preconditions
  readonly orphanDependents?: boolean
  readonly propagationPolicy?: string
  readonly dryRun?: ReadonlyArray<string>
  readonly ignoreStoreReadErrorWithClusterBreakingPotential?: boolean
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.FieldSelectorRequirement` */
export interface FieldSelectorRequirement {
  readonly key: string
  readonly operator: string
  readonly values?: ReadonlyArray<string>
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.GetOptions` */
export interface GetOptions {
  readonly apiVersion: string
  readonly kind: string
  readonly resourceVersion?: string
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.GroupKind` */
export interface GroupKind {
  readonly group: string
  readonly kind: string
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.GroupResource` */
export interface GroupResource {
  readonly group: string
  readonly resource: string
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.GroupVersion` */
export interface GroupVersion {
  readonly group: string
  readonly version: string
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.GroupVersionForDiscovery` */
export interface GroupVersionForDiscovery {
  readonly groupVersion: string
  readonly version: string
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.GroupVersionKind` */
export interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.GroupVersionResource` */
export interface GroupVersionResource {
  readonly group: string
  readonly version: string
  readonly resource: string
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector` */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: ReadonlyArray<LabelSelectorRequirement>
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement` */
export interface LabelSelectorRequirement {
  readonly key: string
  readonly operator: string
  readonly values?: ReadonlyArray<string>
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.List` */
export interface List {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ListMeta
  readonly items: ReadonlyArray<unknown>
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta` */
export interface ListMeta {
  readonly selfLink?: string
  readonly resourceVersion?: string
  readonly continue?: string
  readonly remainingItemCount?: number
  readonly shardInfo?: ShardInfo
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.ListOptions` */
export interface ListOptions {
  readonly apiVersion: string
  readonly kind: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly watch?: boolean
  readonly allowWatchBookmarks?: boolean
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: string
  readonly timeoutSeconds?: number
  readonly limit?: number
  readonly continue?: string
  readonly sendInitialEvents?: boolean
  readonly shardSelector?: string
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry` */
export interface ManagedFieldsEntry {
  readonly manager?: string
  readonly operation?: string
  readonly apiVersion?: string
  readonly time?: string
  readonly fieldsType?: string
  readonly fieldsV1?: unknown
  readonly subresource?: string
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta` */
export interface ObjectMeta {
  readonly name?: string
  readonly generateName?: string
  readonly namespace?: string
  readonly selfLink?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly deletionGracePeriodSeconds?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: ReadonlyArray<OwnerReference>
  readonly finalizers?: ReadonlyArray<string>
  readonly managedFields?: ReadonlyArray<ManagedFieldsEntry>
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference` */
export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadata` */
export interface PartialObjectMetadata {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadataList` */
export interface PartialObjectMetadataList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ListMeta
  readonly items: ReadonlyArray<PartialObjectMetadata>
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.Patch` */
export type Patch = Readonly<Record<string, never>>

/** `io.k8s.apimachinery.pkg.apis.meta.v1.PatchOptions` */
export interface PatchOptions {
  readonly apiVersion: string
  readonly kind: string
  readonly dryRun?: ReadonlyArray<string>
  readonly force?: boolean
  readonly fieldManager?: string
  readonly fieldValidation?: string
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions` */
export interface Preconditions {
  readonly uid?: string
  readonly resourceVersion?: string
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.RootPaths` */
export interface RootPaths {
  readonly paths: ReadonlyArray<string>
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.ServerAddressByClientCIDR` */
export interface ServerAddressByClientCIDR {
  readonly clientCIDR: string
  readonly serverAddress: string
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.ShardInfo` */
export interface ShardInfo {
  readonly selector: string
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.Status` */
export interface Status {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ListMeta
  readonly status?: string
  readonly message?: string
  readonly reason?: string
  readonly details?: StatusDetails
  readonly code?: number
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.StatusCause` */
export interface StatusCause {
  readonly reason?: string
  readonly message?: string
  readonly field?: string
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.StatusDetails` */
export interface StatusDetails {
  readonly name?: string
  readonly group?: string
  readonly kind?: string
  readonly uid?: string
  readonly causes?: ReadonlyArray<StatusCause>
  readonly retryAfterSeconds?: number
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.Table` */
export interface Table {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ListMeta
  readonly columnDefinitions: ReadonlyArray<TableColumnDefinition>
  readonly rows: ReadonlyArray<TableRow>
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.TableColumnDefinition` */
export interface TableColumnDefinition {
  readonly name: string
  readonly type: string
  readonly format: string
  readonly description: string
  readonly priority: number
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.TableOptions` */
export interface TableOptions {
  readonly apiVersion: string
  readonly kind: string
  readonly includeObject?: string
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.TableRow` */
export interface TableRow {
  readonly cells: ReadonlyArray<unknown>
  readonly conditions?: ReadonlyArray<TableRowCondition>
  readonly object?: unknown
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.TableRowCondition` */
export interface TableRowCondition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.Timestamp` */
export interface Timestamp {
  readonly seconds: number
  readonly nanos: number
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.TypeMeta` */
export interface TypeMeta {
  readonly kind?: string
  readonly apiVersion?: string
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.UpdateOptions` */
export interface UpdateOptions {
  readonly apiVersion: string
  readonly kind: string
  readonly dryRun?: ReadonlyArray<string>
  readonly fieldManager?: string
  readonly fieldValidation?: string
}

/** `io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent` */
export interface WatchEvent {
  readonly type: string
  readonly object: unknown
}

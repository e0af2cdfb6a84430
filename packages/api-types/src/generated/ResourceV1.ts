// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type * as CoreV1 from "./CoreV1.js"
import type * as MetaV1 from "./MetaV1.js"

/** Known values of AllocationConfigSource; a newer peer may send others. */
export type AllocationConfigSource = "FromClass" | "FromClaim" | (string & Record<never, never>)

/** Known values of DeviceTaintEffect; a newer peer may send others. */
export type DeviceTaintEffect = "None" | "NoSchedule" | "NoExecute" | (string & Record<never, never>)

/** Known values of DeviceTolerationOperator; a newer peer may send others. */
export type DeviceTolerationOperator = "Exists" | "Equal" | (string & Record<never, never>)

/** `io.k8s.api.resource.v1.AllocatedDeviceStatus` */
export interface AllocatedDeviceStatus {
  readonly driver: string
  readonly pool: string
  readonly device: string
  readonly shareID?: string
  readonly conditions?: ReadonlyArray<MetaV1.Condition>
  readonly data?: unknown
  readonly networkData?: NetworkDeviceData
}

/** `io.k8s.api.resource.v1.AllocationResult` */
export interface AllocationResult {
  readonly devices?: DeviceAllocationResult
  readonly nodeSelector?: CoreV1.NodeSelector
  readonly allocationTimestamp?: string
}

/** `io.k8s.api.resource.v1.CELDeviceSelector` */
export interface CELDeviceSelector {
  readonly expression: string
}

/** `io.k8s.api.resource.v1.CapacityRequestPolicy` */
export interface CapacityRequestPolicy {
  readonly default?: string
  readonly validValues?: ReadonlyArray<string>
  readonly validRange?: CapacityRequestPolicyRange
}

/** `io.k8s.api.resource.v1.CapacityRequestPolicyRange` */
export interface CapacityRequestPolicyRange {
  readonly min: string
  readonly max?: string
  readonly step?: string
}

/** `io.k8s.api.resource.v1.CapacityRequirements` */
export interface CapacityRequirements {
  readonly requests?: Readonly<Record<string, string>>
}

/** `io.k8s.api.resource.v1.Counter` */
export interface Counter {
  readonly value: string
}

/** `io.k8s.api.resource.v1.CounterSet` */
export interface CounterSet {
  readonly name: string
  readonly counters: Readonly<Record<string, Counter>>
}

/** `io.k8s.api.resource.v1.Device` */
export interface Device {
  readonly name: string
  readonly attributes?: Readonly<Record<string, DeviceAttribute>>
  readonly capacity?: Readonly<Record<string, DeviceCapacity>>
  readonly consumesCounters?: ReadonlyArray<DeviceCounterConsumption>
  readonly nodeName?: string
  readonly nodeSelector?: CoreV1.NodeSelector
  readonly allNodes?: boolean
  readonly taints?: ReadonlyArray<DeviceTaint>
  readonly bindsToNode?: boolean
  readonly bindingConditions?: ReadonlyArray<string>
  readonly bindingFailureConditions?: ReadonlyArray<string>
  readonly allowMultipleAllocations?: boolean
  readonly nodeAllocatableResourceMappings?: Readonly<Record<string, NodeAllocatableResourceMapping>>
}

/** `io.k8s.api.resource.v1.DeviceAllocationConfiguration` */
export interface DeviceAllocationConfiguration extends DeviceConfiguration {
  readonly source: AllocationConfigSource
  readonly requests?: ReadonlyArray<string>
}

/** `io.k8s.api.resource.v1.DeviceAllocationResult` */
export interface DeviceAllocationResult {
  readonly results?: ReadonlyArray<DeviceRequestAllocationResult>
  readonly config?: ReadonlyArray<DeviceAllocationConfiguration>
}

/** `io.k8s.api.resource.v1.DeviceAttribute` */
export interface DeviceAttribute {
  readonly int?: number
  readonly bool?: boolean
  readonly string?: string
  readonly version?: string
  readonly ints?: ReadonlyArray<number>
  readonly bools?: ReadonlyArray<boolean>
  readonly strings?: ReadonlyArray<string>
  readonly versions?: ReadonlyArray<string>
}

/** `io.k8s.api.resource.v1.DeviceCapacity` */
export interface DeviceCapacity {
  readonly value: string
  readonly requestPolicy?: CapacityRequestPolicy
}

/** `io.k8s.api.resource.v1.DeviceClaim` */
export interface DeviceClaim {
  readonly requests?: ReadonlyArray<DeviceRequest>
  readonly constraints?: ReadonlyArray<DeviceConstraint>
  readonly config?: ReadonlyArray<DeviceClaimConfiguration>
}

/** `io.k8s.api.resource.v1.DeviceClaimConfiguration` */
export interface DeviceClaimConfiguration extends DeviceConfiguration {
  readonly requests?: ReadonlyArray<string>
}

/** `io.k8s.api.resource.v1.DeviceClass` */
export interface DeviceClass {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec: DeviceClassSpec
}

/** `io.k8s.api.resource.v1.DeviceClassConfiguration` */
export interface DeviceClassConfiguration extends DeviceConfiguration {
}

/** `io.k8s.api.resource.v1.DeviceClassList` */
export interface DeviceClassList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<DeviceClass>
}

/** `io.k8s.api.resource.v1.DeviceClassSpec` */
export interface DeviceClassSpec {
  readonly selectors?: ReadonlyArray<DeviceSelector>
  readonly config?: ReadonlyArray<DeviceClassConfiguration>
  readonly extendedResourceName?: string
}

/** `io.k8s.api.resource.v1.DeviceConfiguration` */
export interface DeviceConfiguration {
  readonly opaque?: OpaqueDeviceConfiguration
}

/** `io.k8s.api.resource.v1.DeviceConstraint` */
export interface DeviceConstraint {
  readonly requests?: ReadonlyArray<string>
  readonly matchAttribute?: string
  readonly distinctAttribute?: string
}

/** `io.k8s.api.resource.v1.DeviceCounterConsumption` */
export interface DeviceCounterConsumption {
  readonly counterSet: string
  readonly counters: Readonly<Record<string, Counter>>
}

/** `io.k8s.api.resource.v1.DeviceRequest` */
export interface DeviceRequest {
  readonly name: string
  readonly exactly?: ExactDeviceRequest
  readonly firstAvailable?: ReadonlyArray<DeviceSubRequest>
}

/** `io.k8s.api.resource.v1.DeviceRequestAllocationResult` */
export interface DeviceRequestAllocationResult {
  readonly request: string
  readonly driver: string
  readonly pool: string
  readonly device: string
  readonly adminAccess?: boolean
  readonly tolerations?: ReadonlyArray<DeviceToleration>
  readonly bindingConditions?: ReadonlyArray<string>
  readonly bindingFailureConditions?: ReadonlyArray<string>
  readonly shareID?: string
  readonly consumedCapacity?: Readonly<Record<string, string>>
}

/** `io.k8s.api.resource.v1.DeviceSelector` */
export interface DeviceSelector {
  readonly cel?: CELDeviceSelector
}

/** `io.k8s.api.resource.v1.DeviceSubRequest` */
export interface DeviceSubRequest {
  readonly name: string
  readonly deviceClassName: string
  readonly selectors?: ReadonlyArray<DeviceSelector>
  readonly allocationMode?: string
  readonly count?: number
  readonly tolerations?: ReadonlyArray<DeviceToleration>
  readonly capacity?: CapacityRequirements
}

/** `io.k8s.api.resource.v1.DeviceTaint` */
export interface DeviceTaint {
  readonly key: string
  readonly value?: string
  readonly effect: DeviceTaintEffect
  readonly timeAdded?: string
}

/** `io.k8s.api.resource.v1.DeviceToleration` */
export interface DeviceToleration {
  readonly key?: string
  readonly operator?: DeviceTolerationOperator
  readonly value?: string
  readonly effect?: DeviceTaintEffect
  readonly tolerationSeconds?: number
}

/** `io.k8s.api.resource.v1.ExactDeviceRequest` */
export interface ExactDeviceRequest {
  readonly deviceClassName: string
  readonly selectors?: ReadonlyArray<DeviceSelector>
  readonly allocationMode?: string
  readonly count?: number
  readonly adminAccess?: boolean
  readonly tolerations?: ReadonlyArray<DeviceToleration>
  readonly capacity?: CapacityRequirements
}

/** `io.k8s.api.resource.v1.NetworkDeviceData` */
export interface NetworkDeviceData {
  readonly interfaceName?: string
  readonly ips?: ReadonlyArray<string>
  readonly hardwareAddress?: string
}

/** `io.k8s.api.resource.v1.NodeAllocatableResourceMapping` */
export interface NodeAllocatableResourceMapping {
  readonly capacityKey?: string
  readonly allocationMultiplier?: string
}

/** `io.k8s.api.resource.v1.OpaqueDeviceConfiguration` */
export interface OpaqueDeviceConfiguration {
  readonly driver: string
  readonly parameters: unknown
}

/** `io.k8s.api.resource.v1.ResourceClaim` */
export interface ResourceClaim {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec: ResourceClaimSpec
  readonly status?: ResourceClaimStatus
}

/** `io.k8s.api.resource.v1.ResourceClaimConsumerReference` */
export interface ResourceClaimConsumerReference {
  readonly apiGroup?: string
  readonly resource: string
  readonly name: string
  readonly uid: string
}

/** `io.k8s.api.resource.v1.ResourceClaimList` */
export interface ResourceClaimList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<ResourceClaim>
}

/** `io.k8s.api.resource.v1.ResourceClaimSpec` */
export interface ResourceClaimSpec {
  readonly devices?: DeviceClaim
}

/** `io.k8s.api.resource.v1.ResourceClaimStatus` */
export interface ResourceClaimStatus {
  readonly allocation?: AllocationResult
  readonly reservedFor?: ReadonlyArray<ResourceClaimConsumerReference>
  readonly devices?: ReadonlyArray<AllocatedDeviceStatus>
}

/** `io.k8s.api.resource.v1.ResourceClaimTemplate` */
export interface ResourceClaimTemplate {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec: ResourceClaimTemplateSpec
}

/** `io.k8s.api.resource.v1.ResourceClaimTemplateList` */
export interface ResourceClaimTemplateList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<ResourceClaimTemplate>
}

/** `io.k8s.api.resource.v1.ResourceClaimTemplateSpec` */
export interface ResourceClaimTemplateSpec {
  readonly metadata?: MetaV1.ObjectMeta
  readonly spec: ResourceClaimSpec
}

/** `io.k8s.api.resource.v1.ResourcePool` */
export interface ResourcePool {
  readonly name: string
  readonly generation: number
  readonly resourceSliceCount: number
}

/** `io.k8s.api.resource.v1.ResourceSlice` */
export interface ResourceSlice {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec: ResourceSliceSpec
}

/** `io.k8s.api.resource.v1.ResourceSliceList` */
export interface ResourceSliceList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<ResourceSlice>
}

/** `io.k8s.api.resource.v1.ResourceSliceSpec` */
export interface ResourceSliceSpec {
  readonly driver: string
  readonly pool: ResourcePool
  readonly nodeName?: string
  readonly nodeSelector?: CoreV1.NodeSelector
  readonly allNodes?: boolean
  readonly devices?: ReadonlyArray<Device>
  readonly perDeviceNodeSelection?: boolean
  readonly sharedCounters?: ReadonlyArray<CounterSet>
}

// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type * as MetaV1 from "./MetaV1.js"

/** Known values of AppArmorProfileType; a newer peer may send others. */
export type AppArmorProfileType = "Unconfined" | "RuntimeDefault" | "Localhost" | (string & Record<never, never>)

/** Known values of AzureDataDiskCachingMode; a newer peer may send others. */
export type AzureDataDiskCachingMode = "None" | "ReadOnly" | "ReadWrite" | (string & Record<never, never>)

/** Known values of AzureDataDiskKind; a newer peer may send others. */
export type AzureDataDiskKind = "Shared" | "Dedicated" | "Managed" | (string & Record<never, never>)

/** Known values of ClaimResourceStatus; a newer peer may send others. */
export type ClaimResourceStatus = "ControllerResizeInProgress" | "ControllerResizeInfeasible" | "NodeResizePending" | "NodeResizeInProgress" | "NodeResizeInfeasible" | (string & Record<never, never>)

/** Known values of DNSPolicy; a newer peer may send others. */
export type DNSPolicy = "ClusterFirstWithHostNet" | "ClusterFirst" | "Default" | "None" | (string & Record<never, never>)

/** Known values of HostPathType; a newer peer may send others. */
export type HostPathType = "" | "DirectoryOrCreate" | "Directory" | "FileOrCreate" | "File" | "Socket" | "CharDevice" | "BlockDevice" | (string & Record<never, never>)

/** Known values of IPFamily; a newer peer may send others. */
export type IPFamily = "IPv4" | "IPv6" | "" | (string & Record<never, never>)

/** Known values of IPFamilyPolicy; a newer peer may send others. */
export type IPFamilyPolicy = "SingleStack" | "PreferDualStack" | "RequireDualStack" | (string & Record<never, never>)

/** Known values of MountPropagationMode; a newer peer may send others. */
export type MountPropagationMode = "None" | "HostToContainer" | "Bidirectional" | (string & Record<never, never>)

/** Known values of NamespacePhase; a newer peer may send others. */
export type NamespacePhase = "Active" | "Terminating" | (string & Record<never, never>)

/** Known values of NodeInclusionPolicy; a newer peer may send others. */
export type NodeInclusionPolicy = "Ignore" | "Honor" | (string & Record<never, never>)

/** Known values of NodePhase; a newer peer may send others. */
export type NodePhase = "Pending" | "Running" | "Terminated" | (string & Record<never, never>)

/** Known values of NodeSelectorOperator; a newer peer may send others. */
export type NodeSelectorOperator = "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" | (string & Record<never, never>)

/** Known values of PersistentVolumeAccessMode; a newer peer may send others. */
export type PersistentVolumeAccessMode = "ReadWriteOnce" | "ReadOnlyMany" | "ReadWriteMany" | "ReadWriteOncePod" | (string & Record<never, never>)

/** Known values of PersistentVolumeClaimModifyVolumeStatus; a newer peer may send others. */
export type PersistentVolumeClaimModifyVolumeStatus = "Pending" | "InProgress" | "Infeasible" | (string & Record<never, never>)

/** Known values of PersistentVolumeClaimPhase; a newer peer may send others. */
export type PersistentVolumeClaimPhase = "Pending" | "Bound" | "Lost" | (string & Record<never, never>)

/** Known values of PersistentVolumeMode; a newer peer may send others. */
export type PersistentVolumeMode = "Block" | "Filesystem" | (string & Record<never, never>)

/** Known values of PersistentVolumePhase; a newer peer may send others. */
export type PersistentVolumePhase = "Pending" | "Available" | "Bound" | "Released" | "Failed" | (string & Record<never, never>)

/** Known values of PersistentVolumeReclaimPolicy; a newer peer may send others. */
export type PersistentVolumeReclaimPolicy = "Recycle" | "Delete" | "Retain" | (string & Record<never, never>)

/** Known values of PodFSGroupChangePolicy; a newer peer may send others. */
export type PodFSGroupChangePolicy = "OnRootMismatch" | "Always" | (string & Record<never, never>)

/** Known values of PodPhase; a newer peer may send others. */
export type PodPhase = "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown" | (string & Record<never, never>)

/** Known values of PodQOSClass; a newer peer may send others. */
export type PodQOSClass = "Guaranteed" | "Burstable" | "BestEffort" | (string & Record<never, never>)

/** Known values of PreemptionPolicy; a newer peer may send others. */
export type PreemptionPolicy = "PreemptLowerPriority" | "Never" | (string & Record<never, never>)

/** Known values of ProcMountType; a newer peer may send others. */
export type ProcMountType = "Default" | "Unmasked" | (string & Record<never, never>)

/** Known values of Protocol; a newer peer may send others. */
export type Protocol = "TCP" | "UDP" | "SCTP" | (string & Record<never, never>)

/** Known values of PullPolicy; a newer peer may send others. */
export type PullPolicy = "Always" | "Never" | "IfNotPresent" | (string & Record<never, never>)

/** Known values of ResourceQuotaScope; a newer peer may send others. */
export type ResourceQuotaScope = "Terminating" | "NotTerminating" | "BestEffort" | "NotBestEffort" | "PriorityClass" | "CrossNamespacePodAffinity" | "VolumeAttributesClass" | (string & Record<never, never>)

/** Known values of RestartPolicy; a newer peer may send others. */
export type RestartPolicy = "Always" | "OnFailure" | "Never" | (string & Record<never, never>)

/** Known values of ScopeSelectorOperator; a newer peer may send others. */
export type ScopeSelectorOperator = "In" | "NotIn" | "Exists" | "DoesNotExist" | (string & Record<never, never>)

/** Known values of SeccompProfileType; a newer peer may send others. */
export type SeccompProfileType = "Unconfined" | "RuntimeDefault" | "Localhost" | (string & Record<never, never>)

/** Known values of ServiceAffinity; a newer peer may send others. */
export type ServiceAffinity = "ClientIP" | "None" | (string & Record<never, never>)

/** Known values of ServiceExternalTrafficPolicy; a newer peer may send others. */
export type ServiceExternalTrafficPolicy = "Cluster" | "Local" | (string & Record<never, never>)

/** Known values of ServiceInternalTrafficPolicy; a newer peer may send others. */
export type ServiceInternalTrafficPolicy = "Cluster" | "Local" | (string & Record<never, never>)

/** Known values of ServiceType; a newer peer may send others. */
export type ServiceType = "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName" | (string & Record<never, never>)

/** Known values of Signal; a newer peer may send others. */
export type Signal = "SIGABRT" | "SIGALRM" | "SIGBUS" | "SIGCHLD" | "SIGCLD" | "SIGCONT" | "SIGFPE" | "SIGHUP" | "SIGILL" | "SIGINT" | "SIGIO" | "SIGIOT" | "SIGKILL" | "SIGPIPE" | "SIGPOLL" | "SIGPROF" | "SIGPWR" | "SIGQUIT" | "SIGSEGV" | "SIGSTKFLT" | "SIGSTOP" | "SIGSYS" | "SIGTERM" | "SIGTRAP" | "SIGTSTP" | "SIGTTIN" | "SIGTTOU" | "SIGURG" | "SIGUSR1" | "SIGUSR2" | "SIGVTALRM" | "SIGWINCH" | "SIGXCPU" | "SIGXFSZ" | "SIGRTMIN" | "SIGRTMIN+1" | "SIGRTMIN+2" | "SIGRTMIN+3" | "SIGRTMIN+4" | "SIGRTMIN+5" | "SIGRTMIN+6" | "SIGRTMIN+7" | "SIGRTMIN+8" | "SIGRTMIN+9" | "SIGRTMIN+10" | "SIGRTMIN+11" | "SIGRTMIN+12" | "SIGRTMIN+13" | "SIGRTMIN+14" | "SIGRTMIN+15" | "SIGRTMAX-14" | "SIGRTMAX-13" | "SIGRTMAX-12" | "SIGRTMAX-11" | "SIGRTMAX-10" | "SIGRTMAX-9" | "SIGRTMAX-8" | "SIGRTMAX-7" | "SIGRTMAX-6" | "SIGRTMAX-5" | "SIGRTMAX-4" | "SIGRTMAX-3" | "SIGRTMAX-2" | "SIGRTMAX-1" | "SIGRTMAX" | (string & Record<never, never>)

/** Known values of SupplementalGroupsPolicy; a newer peer may send others. */
export type SupplementalGroupsPolicy = "Merge" | "Strict" | (string & Record<never, never>)

/** Known values of TaintEffect; a newer peer may send others. */
export type TaintEffect = "NoSchedule" | "PreferNoSchedule" | "NoExecute" | (string & Record<never, never>)

/** Known values of TerminationMessagePolicy; a newer peer may send others. */
export type TerminationMessagePolicy = "File" | "FallbackToLogsOnError" | (string & Record<never, never>)

/** Known values of TolerationOperator; a newer peer may send others. */
export type TolerationOperator = "Exists" | "Equal" | "Lt" | "Gt" | (string & Record<never, never>)

/** Known values of URIScheme; a newer peer may send others. */
export type URIScheme = "HTTP" | "HTTPS" | (string & Record<never, never>)

/** Known values of UnsatisfiableConstraintAction; a newer peer may send others. */
export type UnsatisfiableConstraintAction = "DoNotSchedule" | "ScheduleAnyway" | (string & Record<never, never>)

/** `io.k8s.api.core.v1.AWSElasticBlockStoreVolumeSource` */
export interface AWSElasticBlockStoreVolumeSource {
  readonly volumeID: string
  readonly fsType?: string
  readonly partition?: number
  readonly readOnly?: boolean
}

/** `io.k8s.api.core.v1.Affinity` */
export interface Affinity {
  readonly nodeAffinity?: NodeAffinity
  readonly podAffinity?: PodAffinity
  readonly podAntiAffinity?: PodAntiAffinity
}

/** `io.k8s.api.core.v1.AppArmorProfile` */
export interface AppArmorProfile {
  readonly type: AppArmorProfileType
  readonly localhostProfile?: string
}

/** `io.k8s.api.core.v1.AttachedVolume` */
export interface AttachedVolume {
  readonly name: string
  readonly devicePath: string
}

/** `io.k8s.api.core.v1.AvoidPods` */
export interface AvoidPods {
  readonly preferAvoidPods?: ReadonlyArray<PreferAvoidPodsEntry>
}

/** `io.k8s.api.core.v1.AzureDiskVolumeSource` */
export interface AzureDiskVolumeSource {
  readonly diskName: string
  readonly diskURI: string
  readonly cachingMode?: AzureDataDiskCachingMode
  readonly fsType?: string
  readonly readOnly?: boolean
  readonly kind?: AzureDataDiskKind
}

/** `io.k8s.api.core.v1.AzureFilePersistentVolumeSource` */
export interface AzureFilePersistentVolumeSource {
  readonly secretName: string
  readonly shareName: string
  readonly readOnly?: boolean
  readonly secretNamespace?: string
}

/** `io.k8s.api.core.v1.AzureFileVolumeSource` */
export interface AzureFileVolumeSource {
  readonly secretName: string
  readonly shareName: string
  readonly readOnly?: boolean
}

/** `io.k8s.api.core.v1.Binding` */
export interface Binding {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly target: ObjectReference
}

/** `io.k8s.api.core.v1.CSIPersistentVolumeSource` */
export interface CSIPersistentVolumeSource {
  readonly driver: string
  readonly volumeHandle: string
  readonly readOnly?: boolean
  readonly fsType?: string
  readonly volumeAttributes?: Readonly<Record<string, string>>
  readonly controllerPublishSecretRef?: SecretReference
  readonly nodeStageSecretRef?: SecretReference
  readonly nodePublishSecretRef?: SecretReference
  readonly controllerExpandSecretRef?: SecretReference
  readonly nodeExpandSecretRef?: SecretReference
}

/** `io.k8s.api.core.v1.CSIVolumeSource` */
export interface CSIVolumeSource {
  readonly driver: string
  readonly readOnly?: boolean
  readonly fsType?: string
  readonly volumeAttributes?: Readonly<Record<string, string>>
  readonly nodePublishSecretRef?: LocalObjectReference
}

/** `io.k8s.api.core.v1.Capabilities` */
export interface Capabilities {
  readonly add?: ReadonlyArray<string>
  readonly drop?: ReadonlyArray<string>
}

/** `io.k8s.api.core.v1.CephFSPersistentVolumeSource` */
export interface CephFSPersistentVolumeSource {
  readonly monitors: ReadonlyArray<string>
  readonly path?: string
  readonly user?: string
  readonly secretFile?: string
  readonly secretRef?: SecretReference
  readonly readOnly?: boolean
}

/** `io.k8s.api.core.v1.CephFSVolumeSource` */
export interface CephFSVolumeSource {
  readonly monitors: ReadonlyArray<string>
  readonly path?: string
  readonly user?: string
  readonly secretFile?: string
  readonly secretRef?: LocalObjectReference
  readonly readOnly?: boolean
}

/** `io.k8s.api.core.v1.CinderPersistentVolumeSource` */
export interface CinderPersistentVolumeSource {
  readonly volumeID: string
  readonly fsType?: string
  readonly readOnly?: boolean
  readonly secretRef?: SecretReference
}

/** `io.k8s.api.core.v1.CinderVolumeSource` */
export interface CinderVolumeSource {
  readonly volumeID: string
  readonly fsType?: string
  readonly readOnly?: boolean
  readonly secretRef?: LocalObjectReference
}

/** `io.k8s.api.core.v1.ClientIPConfig` */
export interface ClientIPConfig {
  readonly timeoutSeconds?: number
}

/** `io.k8s.api.core.v1.ClusterTrustBundleProjection` */
export interface ClusterTrustBundleProjection {
  readonly name?: string
  readonly signerName?: string
  readonly labelSelector?: MetaV1.LabelSelector
  readonly optional?: boolean
  readonly path: string
}

/** `io.k8s.api.core.v1.ComponentCondition` */
export interface ComponentCondition {
  readonly type: string
  readonly status: string
  readonly message?: string
  readonly error?: string
}

/** `io.k8s.api.core.v1.ComponentStatus` */
export interface ComponentStatus {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly conditions?: ReadonlyArray<ComponentCondition>
}

/** `io.k8s.api.core.v1.ComponentStatusList` */
export interface ComponentStatusList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<ComponentStatus>
}

/** `io.k8s.api.core.v1.ConfigMap` */
export interface ConfigMap {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly immutable?: boolean
  readonly data?: Readonly<Record<string, string>>
  readonly binaryData?: Readonly<Record<string, string>>
}

/** `io.k8s.api.core.v1.ConfigMapEnvSource` */
export interface ConfigMapEnvSource extends LocalObjectReference {
  readonly optional?: boolean
}

/** `io.k8s.api.core.v1.ConfigMapKeySelector` */
export interface ConfigMapKeySelector extends LocalObjectReference {
  readonly key: string
  readonly optional?: boolean
}

/** `io.k8s.api.core.v1.ConfigMapList` */
export interface ConfigMapList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<ConfigMap>
}

/** `io.k8s.api.core.v1.ConfigMapNodeConfigSource` */
export interface ConfigMapNodeConfigSource {
  readonly namespace: string
  readonly name: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly kubeletConfigKey: string
}

/** `io.k8s.api.core.v1.ConfigMapProjection` */
export interface ConfigMapProjection extends LocalObjectReference {
  readonly items?: ReadonlyArray<KeyToPath>
  readonly optional?: boolean
}

/** `io.k8s.api.core.v1.ConfigMapVolumeSource` */
export interface ConfigMapVolumeSource extends LocalObjectReference {
  readonly items?: ReadonlyArray<KeyToPath>
  readonly defaultMode?: number
  readonly optional?: boolean
}

/** `io.k8s.api.core.v1.Container` */
export interface Container {
  readonly name: string
  readonly image?: string
  readonly command?: ReadonlyArray<string>
  readonly args?: ReadonlyArray<string>
  readonly workingDir?: string
  readonly ports?: ReadonlyArray<ContainerPort>
  readonly envFrom?: ReadonlyArray<EnvFromSource>
  readonly env?: ReadonlyArray<EnvVar>
  readonly resources?: ResourceRequirements
  readonly resizePolicy?: ReadonlyArray<ContainerResizePolicy>
  readonly restartPolicy?: string
  readonly restartPolicyRules?: ReadonlyArray<ContainerRestartRule>
  readonly volumeMounts?: ReadonlyArray<VolumeMount>
  readonly volumeDevices?: ReadonlyArray<VolumeDevice>
  readonly livenessProbe?: Probe
  readonly readinessProbe?: Probe
  readonly startupProbe?: Probe
  readonly lifecycle?: Lifecycle
  readonly terminationMessagePath?: string
  readonly terminationMessagePolicy?: TerminationMessagePolicy
  readonly imagePullPolicy?: PullPolicy
  readonly securityContext?: SecurityContext
  readonly stdin?: boolean
  readonly stdinOnce?: boolean
  readonly tty?: boolean
}

/** `io.k8s.api.core.v1.ContainerExtendedResourceRequest` */
export interface ContainerExtendedResourceRequest {
  readonly containerName: string
  readonly resourceName: string
  readonly requestName: string
}

/** `io.k8s.api.core.v1.ContainerImage` */
export interface ContainerImage {
  readonly names?: ReadonlyArray<string>
  readonly sizeBytes?: number
}

/** `io.k8s.api.core.v1.ContainerPort` */
export interface ContainerPort {
  readonly name?: string
  readonly hostPort?: number
  readonly containerPort: number
  readonly protocol?: Protocol
  readonly hostIP?: string
}

/** `io.k8s.api.core.v1.ContainerResizePolicy` */
export interface ContainerResizePolicy {
  readonly resourceName: string
  readonly restartPolicy: string
}

/** `io.k8s.api.core.v1.ContainerRestartRule` */
export interface ContainerRestartRule {
  readonly action: string
  readonly exitCodes?: ContainerRestartRuleOnExitCodes
}

/** `io.k8s.api.core.v1.ContainerRestartRuleOnExitCodes` */
export interface ContainerRestartRuleOnExitCodes {
  readonly operator: string
  readonly values?: ReadonlyArray<number>
}

/** `io.k8s.api.core.v1.ContainerState` */
export interface ContainerState {
  readonly waiting?: ContainerStateWaiting
  readonly running?: ContainerStateRunning
  readonly terminated?: ContainerStateTerminated
}

/** `io.k8s.api.core.v1.ContainerStateRunning` */
export interface ContainerStateRunning {
  readonly startedAt?: string
}

/** `io.k8s.api.core.v1.ContainerStateTerminated` */
export interface ContainerStateTerminated {
  readonly exitCode: number
  readonly signal?: number
  readonly reason?: string
  readonly message?: string
  readonly startedAt?: string
  readonly finishedAt?: string
  readonly containerID?: string
}

/** `io.k8s.api.core.v1.ContainerStateWaiting` */
export interface ContainerStateWaiting {
  readonly reason?: string
  readonly message?: string
}

/** `io.k8s.api.core.v1.ContainerStatus` */
export interface ContainerStatus {
  readonly name: string
  readonly state?: ContainerState
  readonly lastState?: ContainerState
  readonly ready: boolean
  readonly restartCount: number
  readonly image: string
  readonly imageID: string
  readonly containerID?: string
  readonly started?: boolean
  readonly allocatedResources?: Readonly<Record<string, string>>
  readonly resources?: ResourceRequirements
  readonly volumeMounts?: ReadonlyArray<VolumeMountStatus>
  readonly user?: ContainerUser
  readonly allocatedResourcesStatus?: ReadonlyArray<ResourceStatus>
  readonly stopSignal?: Signal
}

/** `io.k8s.api.core.v1.ContainerUser` */
export interface ContainerUser {
  readonly linux?: LinuxContainerUser
}

/** `io.k8s.api.core.v1.DaemonEndpoint` */
export interface DaemonEndpoint {
  readonly Port: number
}

/** `io.k8s.api.core.v1.DownwardAPIProjection` */
export interface DownwardAPIProjection {
  readonly items?: ReadonlyArray<DownwardAPIVolumeFile>
}

/** `io.k8s.api.core.v1.DownwardAPIVolumeFile` */
export interface DownwardAPIVolumeFile {
  readonly path: string
  readonly fieldRef?: ObjectFieldSelector
  readonly resourceFieldRef?: ResourceFieldSelector
  readonly mode?: number
}

/** `io.k8s.api.core.v1.DownwardAPIVolumeSource` */
export interface DownwardAPIVolumeSource {
  readonly items?: ReadonlyArray<DownwardAPIVolumeFile>
  readonly defaultMode?: number
}

/** `io.k8s.api.core.v1.EmptyDirVolumeSource` */
export interface EmptyDirVolumeSource {
  readonly medium?: string
  readonly sizeLimit?: string
}

/** `io.k8s.api.core.v1.EndpointAddress` */
export interface EndpointAddress {
  readonly ip: string
  readonly hostname?: string
  readonly nodeName?: string
  readonly targetRef?: ObjectReference
}

/** `io.k8s.api.core.v1.EndpointPort` */
export interface EndpointPort {
  readonly name?: string
  readonly port: number
  readonly protocol?: Protocol
  readonly appProtocol?: string
}

/** `io.k8s.api.core.v1.EndpointSubset` */
export interface EndpointSubset {
  readonly addresses?: ReadonlyArray<EndpointAddress>
  readonly notReadyAddresses?: ReadonlyArray<EndpointAddress>
  readonly ports?: ReadonlyArray<EndpointPort>
}

/** `io.k8s.api.core.v1.Endpoints` */
export interface Endpoints {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly subsets?: ReadonlyArray<EndpointSubset>
}

/** `io.k8s.api.core.v1.EndpointsList` */
export interface EndpointsList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<Endpoints>
}

/** `io.k8s.api.core.v1.EnvFromSource` */
export interface EnvFromSource {
  readonly prefix?: string
  readonly configMapRef?: ConfigMapEnvSource
  readonly secretRef?: SecretEnvSource
}

/** `io.k8s.api.core.v1.EnvVar` */
export interface EnvVar {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: EnvVarSource
}

/** `io.k8s.api.core.v1.EnvVarSource` */
export interface EnvVarSource {
  readonly fieldRef?: ObjectFieldSelector
  readonly resourceFieldRef?: ResourceFieldSelector
  readonly configMapKeyRef?: ConfigMapKeySelector
  readonly secretKeyRef?: SecretKeySelector
  readonly fileKeyRef?: FileKeySelector
}

/** `io.k8s.api.core.v1.EphemeralContainer` */
export interface EphemeralContainer extends EphemeralContainerCommon {
  readonly targetContainerName?: string
}

/** `io.k8s.api.core.v1.EphemeralContainerCommon` */
export interface EphemeralContainerCommon {
  readonly name: string
  readonly image?: string
  readonly command?: ReadonlyArray<string>
  readonly args?: ReadonlyArray<string>
  readonly workingDir?: string
  readonly ports?: ReadonlyArray<ContainerPort>
  readonly envFrom?: ReadonlyArray<EnvFromSource>
  readonly env?: ReadonlyArray<EnvVar>
  readonly resources?: ResourceRequirements
  readonly resizePolicy?: ReadonlyArray<ContainerResizePolicy>
  readonly restartPolicy?: string
  readonly restartPolicyRules?: ReadonlyArray<ContainerRestartRule>
  readonly volumeMounts?: ReadonlyArray<VolumeMount>
  readonly volumeDevices?: ReadonlyArray<VolumeDevice>
  readonly livenessProbe?: Probe
  readonly readinessProbe?: Probe
  readonly startupProbe?: Probe
  readonly lifecycle?: Lifecycle
  readonly terminationMessagePath?: string
  readonly terminationMessagePolicy?: TerminationMessagePolicy
  readonly imagePullPolicy?: PullPolicy
  readonly securityContext?: SecurityContext
  readonly stdin?: boolean
  readonly stdinOnce?: boolean
  readonly tty?: boolean
}

/** `io.k8s.api.core.v1.EphemeralVolumeSource` */
export interface EphemeralVolumeSource {
  readonly volumeClaimTemplate?: PersistentVolumeClaimTemplate
}

/** `io.k8s.api.core.v1.Event` */
export interface Event {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly involvedObject: ObjectReference
  readonly reason?: string
  readonly message?: string
  readonly source?: EventSource
  readonly firstTimestamp?: string
  readonly lastTimestamp?: string
  readonly count?: number
  readonly type?: string
  readonly eventTime?: string
  readonly series?: EventSeries
  readonly action?: string
  readonly related?: ObjectReference
  readonly reportingComponent?: string
  readonly reportingInstance?: string
}

/** `io.k8s.api.core.v1.EventList` */
export interface EventList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<Event>
}

/** `io.k8s.api.core.v1.EventSeries` */
export interface EventSeries {
  readonly count?: number
  readonly lastObservedTime?: string
}

/** `io.k8s.api.core.v1.EventSource` */
export interface EventSource {
  readonly component?: string
  readonly host?: string
}

/** `io.k8s.api.core.v1.ExecAction` */
export interface ExecAction {
  readonly command?: ReadonlyArray<string>
}

/** `io.k8s.api.core.v1.FCVolumeSource` */
export interface FCVolumeSource {
  readonly targetWWNs?: ReadonlyArray<string>
  readonly lun?: number
  readonly fsType?: string
  readonly readOnly?: boolean
  readonly wwids?: ReadonlyArray<string>
}

/** `io.k8s.api.core.v1.FileKeySelector` */
export interface FileKeySelector {
  readonly volumeName: string
  readonly path: string
  readonly key: string
  readonly optional?: boolean
}

/** `io.k8s.api.core.v1.FlexPersistentVolumeSource` */
export interface FlexPersistentVolumeSource {
  readonly driver: string
  readonly fsType?: string
  readonly secretRef?: SecretReference
  readonly readOnly?: boolean
  readonly options?: Readonly<Record<string, string>>
}

/** `io.k8s.api.core.v1.FlexVolumeSource` */
export interface FlexVolumeSource {
  readonly driver: string
  readonly fsType?: string
  readonly secretRef?: LocalObjectReference
  readonly readOnly?: boolean
  readonly options?: Readonly<Record<string, string>>
}

/** `io.k8s.api.core.v1.FlockerVolumeSource` */
export interface FlockerVolumeSource {
  readonly datasetName?: string
  readonly datasetUUID?: string
}

/** `io.k8s.api.core.v1.GCEPersistentDiskVolumeSource` */
export interface GCEPersistentDiskVolumeSource {
  readonly pdName: string
  readonly fsType?: string
  readonly partition?: number
  readonly readOnly?: boolean
}

/** `io.k8s.api.core.v1.GRPCAction` */
export interface GRPCAction {
  readonly port: number
  readonly service?: string
}

/** `io.k8s.api.core.v1.GitRepoVolumeSource` */
export interface GitRepoVolumeSource {
  readonly repository: string
  readonly revision?: string
  readonly directory?: string
}

/** `io.k8s.api.core.v1.GlusterfsPersistentVolumeSource` */
export interface GlusterfsPersistentVolumeSource {
  readonly endpoints: string
  readonly path: string
  readonly readOnly?: boolean
  readonly endpointsNamespace?: string
}

/** `io.k8s.api.core.v1.GlusterfsVolumeSource` */
export interface GlusterfsVolumeSource {
  readonly endpoints: string
  readonly path: string
  readonly readOnly?: boolean
}

/** `io.k8s.api.core.v1.HTTPGetAction` */
export interface HTTPGetAction {
  readonly path?: string
  readonly port: number | string
  readonly host?: string
  readonly scheme?: URIScheme
  readonly httpHeaders?: ReadonlyArray<HTTPHeader>
}

/** `io.k8s.api.core.v1.HTTPHeader` */
export interface HTTPHeader {
  readonly name: string
  readonly value: string
}

/** `io.k8s.api.core.v1.HostAlias` */
export interface HostAlias {
  readonly ip: string
  readonly hostnames?: ReadonlyArray<string>
}

/** `io.k8s.api.core.v1.HostIP` */
export interface HostIP {
  readonly ip: string
}

/** `io.k8s.api.core.v1.HostPathVolumeSource` */
export interface HostPathVolumeSource {
  readonly path: string
  readonly type?: HostPathType
}

/** `io.k8s.api.core.v1.ISCSIPersistentVolumeSource` */
export interface ISCSIPersistentVolumeSource {
  readonly targetPortal: string
  readonly iqn: string
  readonly lun: number
  readonly iscsiInterface?: string
  readonly fsType?: string
  readonly readOnly?: boolean
  readonly portals?: ReadonlyArray<string>
  readonly chapAuthDiscovery?: boolean
  readonly chapAuthSession?: boolean
  readonly secretRef?: SecretReference
  readonly initiatorName?: string
}

/** `io.k8s.api.core.v1.ISCSIVolumeSource` */
export interface ISCSIVolumeSource {
  readonly targetPortal: string
  readonly iqn: string
  readonly lun: number
  readonly iscsiInterface?: string
  readonly fsType?: string
  readonly readOnly?: boolean
  readonly portals?: ReadonlyArray<string>
  readonly chapAuthDiscovery?: boolean
  readonly chapAuthSession?: boolean
  readonly secretRef?: LocalObjectReference
  readonly initiatorName?: string
}

/** `io.k8s.api.core.v1.ImageVolumeSource` */
export interface ImageVolumeSource {
  readonly reference?: string
  readonly pullPolicy?: PullPolicy
}

/** `io.k8s.api.core.v1.ImageVolumeStatus` */
export interface ImageVolumeStatus {
  readonly imageRef: string
}

/** `io.k8s.api.core.v1.KeyToPath` */
export interface KeyToPath {
  readonly key: string
  readonly path: string
  readonly mode?: number
}

/** `io.k8s.api.core.v1.Lifecycle` */
export interface Lifecycle {
  readonly postStart?: LifecycleHandler
  readonly preStop?: LifecycleHandler
  readonly stopSignal?: Signal
}

/** `io.k8s.api.core.v1.LifecycleHandler` */
export interface LifecycleHandler {
  readonly exec?: ExecAction
  readonly httpGet?: HTTPGetAction
  readonly tcpSocket?: TCPSocketAction
  readonly sleep?: SleepAction
}

/** `io.k8s.api.core.v1.LimitRange` */
export interface LimitRange {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: LimitRangeSpec
}

/** `io.k8s.api.core.v1.LimitRangeItem` */
export interface LimitRangeItem {
  readonly type: string
  readonly max?: Readonly<Record<string, string>>
  readonly min?: Readonly<Record<string, string>>
  readonly default?: Readonly<Record<string, string>>
  readonly defaultRequest?: Readonly<Record<string, string>>
  readonly maxLimitRequestRatio?: Readonly<Record<string, string>>
}

/** `io.k8s.api.core.v1.LimitRangeList` */
export interface LimitRangeList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<LimitRange>
}

/** `io.k8s.api.core.v1.LimitRangeSpec` */
export interface LimitRangeSpec {
  readonly limits: ReadonlyArray<LimitRangeItem>
}

/** `io.k8s.api.core.v1.LinuxContainerUser` */
export interface LinuxContainerUser {
  readonly uid: number
  readonly gid: number
  readonly supplementalGroups?: ReadonlyArray<number>
}

/** `io.k8s.api.core.v1.LoadBalancerIngress` */
export interface LoadBalancerIngress {
  readonly ip?: string
  readonly hostname?: string
  readonly ipMode?: string
  readonly ports?: ReadonlyArray<PortStatus>
}

/** `io.k8s.api.core.v1.LoadBalancerStatus` */
export interface LoadBalancerStatus {
  readonly ingress?: ReadonlyArray<LoadBalancerIngress>
}

/** `io.k8s.api.core.v1.LocalObjectReference` */
export interface LocalObjectReference {
  readonly name?: string
}

/** `io.k8s.api.core.v1.LocalVolumeSource` */
export interface LocalVolumeSource {
  readonly path: string
  readonly fsType?: string
}

/** `io.k8s.api.core.v1.ModifyVolumeStatus` */
export interface ModifyVolumeStatus {
  readonly targetVolumeAttributesClassName?: string
  readonly status: PersistentVolumeClaimModifyVolumeStatus
}

/** `io.k8s.api.core.v1.NFSVolumeSource` */
export interface NFSVolumeSource {
  readonly server: string
  readonly path: string
  readonly readOnly?: boolean
}

/** `io.k8s.api.core.v1.Namespace` */
export interface Namespace {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: NamespaceSpec
  readonly status?: NamespaceStatus
}

/** `io.k8s.api.core.v1.NamespaceCondition` */
export interface NamespaceCondition {
  readonly type: string
  readonly status: string
  readonly lastTransitionTime?: string
  readonly reason?: string
  readonly message?: string
}

/** `io.k8s.api.core.v1.NamespaceList` */
export interface NamespaceList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<Namespace>
}

/** `io.k8s.api.core.v1.NamespaceSpec` */
export interface NamespaceSpec {
  readonly finalizers?: ReadonlyArray<string>
}

/** `io.k8s.api.core.v1.NamespaceStatus` */
export interface NamespaceStatus {
  readonly phase?: NamespacePhase
  readonly conditions?: ReadonlyArray<NamespaceCondition>
}

/** `io.k8s.api.core.v1.Node` */
export interface Node {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: NodeSpec
  readonly status?: NodeStatus
}

/** `io.k8s.api.core.v1.NodeAddress` */
export interface NodeAddress {
  readonly type: string
  readonly address: string
}

/** `io.k8s.api.core.v1.NodeAffinity` */
export interface NodeAffinity {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: NodeSelector
  readonly preferredDuringSchedulingIgnoredDuringExecution?: ReadonlyArray<PreferredSchedulingTerm>
}

/** `io.k8s.api.core.v1.NodeAllocatableResourceClaimStatus` */
export interface NodeAllocatableResourceClaimStatus {
  readonly resourceClaimName: string
  readonly containers?: ReadonlyArray<string>
  readonly resources: Readonly<Record<string, string>>
}

/** `io.k8s.api.core.v1.NodeCondition` */
export interface NodeCondition {
  readonly type: string
  readonly status: string
  readonly lastHeartbeatTime?: string
  readonly lastTransitionTime?: string
  readonly reason?: string
  readonly message?: string
}

/** `io.k8s.api.core.v1.NodeConfigSource` */
export interface NodeConfigSource {
  readonly configMap?: ConfigMapNodeConfigSource
}

/** `io.k8s.api.core.v1.NodeConfigStatus` */
export interface NodeConfigStatus {
  readonly assigned?: NodeConfigSource
  readonly active?: NodeConfigSource
  readonly lastKnownGood?: NodeConfigSource
  readonly error?: string
}

/** `io.k8s.api.core.v1.NodeDaemonEndpoints` */
export interface NodeDaemonEndpoints {
  readonly kubeletEndpoint?: DaemonEndpoint
}

/** `io.k8s.api.core.v1.NodeFeatures` */
export interface NodeFeatures {
  readonly supplementalGroupsPolicy?: boolean
}

/** `io.k8s.api.core.v1.NodeList` */
export interface NodeList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<Node>
}

/** `io.k8s.api.core.v1.NodeProxyOptions` */
export interface NodeProxyOptions {
  readonly apiVersion: string
  readonly kind: string
  readonly path?: string
}

/** `io.k8s.api.core.v1.NodeRuntimeHandler` */
export interface NodeRuntimeHandler {
  readonly name?: string
  readonly features?: NodeRuntimeHandlerFeatures
}

/** `io.k8s.api.core.v1.NodeRuntimeHandlerFeatures` */
export interface NodeRuntimeHandlerFeatures {
  readonly recursiveReadOnlyMounts?: boolean
  readonly userNamespaces?: boolean
}

/** `io.k8s.api.core.v1.NodeSelector` */
export interface NodeSelector {
  readonly nodeSelectorTerms: ReadonlyArray<NodeSelectorTerm>
}

/** `io.k8s.api.core.v1.NodeSelectorRequirement` */
export interface NodeSelectorRequirement {
  readonly key: string
  readonly operator: NodeSelectorOperator
  readonly values?: ReadonlyArray<string>
}

/** `io.k8s.api.core.v1.NodeSelectorTerm` */
export interface NodeSelectorTerm {
  readonly matchExpressions?: ReadonlyArray<NodeSelectorRequirement>
  readonly matchFields?: ReadonlyArray<NodeSelectorRequirement>
}

/** `io.k8s.api.core.v1.NodeSpec` */
export interface NodeSpec {
  readonly podCIDR?: string
  readonly podCIDRs?: ReadonlyArray<string>
  readonly providerID?: string
  readonly unschedulable?: boolean
  readonly taints?: ReadonlyArray<Taint>
  readonly configSource?: NodeConfigSource
  readonly externalID?: string
}

/** `io.k8s.api.core.v1.NodeStatus` */
export interface NodeStatus {
  readonly capacity?: Readonly<Record<string, string>>
  readonly allocatable?: Readonly<Record<string, string>>
  readonly phase?: NodePhase
  readonly conditions?: ReadonlyArray<NodeCondition>
  readonly addresses?: ReadonlyArray<NodeAddress>
  readonly daemonEndpoints?: NodeDaemonEndpoints
  readonly nodeInfo?: NodeSystemInfo
  readonly images?: ReadonlyArray<ContainerImage>
  readonly volumesInUse?: ReadonlyArray<string>
  readonly volumesAttached?: ReadonlyArray<AttachedVolume>
  readonly config?: NodeConfigStatus
  readonly runtimeHandlers?: ReadonlyArray<NodeRuntimeHandler>
  readonly features?: NodeFeatures
  readonly declaredFeatures?: ReadonlyArray<string>
}

/** `io.k8s.api.core.v1.NodeSwapStatus` */
export interface NodeSwapStatus {
  readonly capacity?: number
}

/** `io.k8s.api.core.v1.NodeSystemInfo` */
export interface NodeSystemInfo {
  readonly machineID: string
  readonly systemUUID: string
  readonly bootID: string
  readonly kernelVersion: string
  readonly osImage: string
  readonly containerRuntimeVersion: string
  readonly kubeletVersion: string
  readonly kubeProxyVersion: string
  readonly operatingSystem: string
  readonly architecture: string
  readonly swap?: NodeSwapStatus
}

/** `io.k8s.api.core.v1.ObjectFieldSelector` */
export interface ObjectFieldSelector {
  readonly apiVersion?: string
  readonly fieldPath: string
}

/** `io.k8s.api.core.v1.ObjectReference` */
export interface ObjectReference {
  readonly kind?: string
  readonly namespace?: string
  readonly name?: string
  readonly uid?: string
  readonly apiVersion?: string
  readonly resourceVersion?: string
  readonly fieldPath?: string
}

/** `io.k8s.api.core.v1.PersistentVolume` */
export interface PersistentVolume {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: PersistentVolumeSpec
  readonly status?: PersistentVolumeStatus
}

/** `io.k8s.api.core.v1.PersistentVolumeClaim` */
export interface PersistentVolumeClaim {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: PersistentVolumeClaimSpec
  readonly status?: PersistentVolumeClaimStatus
}

/** `io.k8s.api.core.v1.PersistentVolumeClaimCondition` */
export interface PersistentVolumeClaimCondition {
  readonly type: string
  readonly status: string
  readonly lastProbeTime?: string
  readonly lastTransitionTime?: string
  readonly reason?: string
  readonly message?: string
}

/** `io.k8s.api.core.v1.PersistentVolumeClaimList` */
export interface PersistentVolumeClaimList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<PersistentVolumeClaim>
}

/** `io.k8s.api.core.v1.PersistentVolumeClaimSpec` */
export interface PersistentVolumeClaimSpec {
  readonly accessModes?: ReadonlyArray<string>
  readonly selector?: MetaV1.LabelSelector
  readonly resources?: VolumeResourceRequirements
  readonly volumeName?: string
  readonly storageClassName?: string
  readonly volumeMode?: PersistentVolumeMode
  readonly dataSource?: TypedLocalObjectReference
  readonly dataSourceRef?: TypedObjectReference
  readonly volumeAttributesClassName?: string
}

/** `io.k8s.api.core.v1.PersistentVolumeClaimStatus` */
export interface PersistentVolumeClaimStatus {
  readonly phase?: PersistentVolumeClaimPhase
  readonly accessModes?: ReadonlyArray<string>
  readonly capacity?: Readonly<Record<string, string>>
  readonly conditions?: ReadonlyArray<PersistentVolumeClaimCondition>
  readonly allocatedResources?: Readonly<Record<string, string>>
  readonly allocatedResourceStatuses?: Readonly<Record<string, string>>
  readonly currentVolumeAttributesClassName?: string
  readonly modifyVolumeStatus?: ModifyVolumeStatus
}

/** `io.k8s.api.core.v1.PersistentVolumeClaimTemplate` */
export interface PersistentVolumeClaimTemplate {
  readonly metadata?: MetaV1.ObjectMeta
  readonly spec: PersistentVolumeClaimSpec
}

/** `io.k8s.api.core.v1.PersistentVolumeClaimVolumeSource` */
export interface PersistentVolumeClaimVolumeSource {
  readonly claimName: string
  readonly readOnly?: boolean
}

/** `io.k8s.api.core.v1.PersistentVolumeList` */
export interface PersistentVolumeList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<PersistentVolume>
}

/** `io.k8s.api.core.v1.PersistentVolumeSource` */
export interface PersistentVolumeSource {
  readonly gcePersistentDisk?: GCEPersistentDiskVolumeSource
  readonly awsElasticBlockStore?: AWSElasticBlockStoreVolumeSource
  readonly hostPath?: HostPathVolumeSource
  readonly glusterfs?: GlusterfsPersistentVolumeSource
  readonly nfs?: NFSVolumeSource
  readonly rbd?: RBDPersistentVolumeSource
  readonly iscsi?: ISCSIPersistentVolumeSource
  readonly cinder?: CinderPersistentVolumeSource
  readonly cephfs?: CephFSPersistentVolumeSource
  readonly fc?: FCVolumeSource
  readonly flocker?: FlockerVolumeSource
  readonly flexVolume?: FlexPersistentVolumeSource
  readonly azureFile?: AzureFilePersistentVolumeSource
  readonly vsphereVolume?: VsphereVirtualDiskVolumeSource
  readonly quobyte?: QuobyteVolumeSource
  readonly azureDisk?: AzureDiskVolumeSource
  readonly photonPersistentDisk?: PhotonPersistentDiskVolumeSource
  readonly portworxVolume?: PortworxVolumeSource
  readonly scaleIO?: ScaleIOPersistentVolumeSource
  readonly local?: LocalVolumeSource
  readonly storageos?: StorageOSPersistentVolumeSource
  readonly csi?: CSIPersistentVolumeSource
}

/** `io.k8s.api.core.v1.PersistentVolumeSpec` */
export interface PersistentVolumeSpec extends PersistentVolumeSource {
  readonly capacity?: Readonly<Record<string, string>>
  readonly accessModes?: ReadonlyArray<string>
  readonly claimRef?: ObjectReference
  readonly persistentVolumeReclaimPolicy?: PersistentVolumeReclaimPolicy
  readonly storageClassName?: string
  readonly mountOptions?: ReadonlyArray<string>
  readonly volumeMode?: PersistentVolumeMode
  readonly nodeAffinity?: VolumeNodeAffinity
  readonly volumeAttributesClassName?: string
}

/** `io.k8s.api.core.v1.PersistentVolumeStatus` */
export interface PersistentVolumeStatus {
  readonly phase?: PersistentVolumePhase
  readonly message?: string
  readonly reason?: string
  readonly lastPhaseTransitionTime?: string
}

/** `io.k8s.api.core.v1.PhotonPersistentDiskVolumeSource` */
export interface PhotonPersistentDiskVolumeSource {
  readonly pdID: string
  readonly fsType?: string
}

/** `io.k8s.api.core.v1.Pod` */
export interface Pod {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: PodSpec
  readonly status?: PodStatus
}

/** `io.k8s.api.core.v1.PodAffinity` */
export interface PodAffinity {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: ReadonlyArray<PodAffinityTerm>
  readonly preferredDuringSchedulingIgnoredDuringExecution?: ReadonlyArray<WeightedPodAffinityTerm>
}

/** `io.k8s.api.core.v1.PodAffinityTerm` */
export interface PodAffinityTerm {
  readonly labelSelector?: MetaV1.LabelSelector
  readonly namespaces?: ReadonlyArray<string>
  readonly topologyKey: string
  readonly namespaceSelector?: MetaV1.LabelSelector
  readonly matchLabelKeys?: ReadonlyArray<string>
  readonly mismatchLabelKeys?: ReadonlyArray<string>
}

/** `io.k8s.api.core.v1.PodAntiAffinity` */
export interface PodAntiAffinity {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: ReadonlyArray<PodAffinityTerm>
  readonly preferredDuringSchedulingIgnoredDuringExecution?: ReadonlyArray<WeightedPodAffinityTerm>
}

/** `io.k8s.api.core.v1.PodAttachOptions` */
export interface PodAttachOptions {
  readonly apiVersion: string
  readonly kind: string
  readonly stdin?: boolean
  readonly stdout?: boolean
  readonly stderr?: boolean
  readonly tty?: boolean
  readonly container?: string
}

/** `io.k8s.api.core.v1.PodCertificateProjection` */
export interface PodCertificateProjection {
  readonly signerName: string
  readonly keyType: string
  readonly maxExpirationSeconds?: number
  readonly credentialBundlePath?: string
  readonly keyPath?: string
  readonly certificateChainPath?: string
  readonly userAnnotations?: Readonly<Record<string, string>>
}

/** `io.k8s.api.core.v1.PodCondition` */
export interface PodCondition {
  readonly type: string
  readonly observedGeneration?: number
  readonly status: string
  readonly lastProbeTime?: string
  readonly lastTransitionTime?: string
  readonly reason?: string
  readonly message?: string
}

/** `io.k8s.api.core.v1.PodDNSConfig` */
export interface PodDNSConfig {
  readonly nameservers?: ReadonlyArray<string>
  readonly searches?: ReadonlyArray<string>
  readonly options?: ReadonlyArray<PodDNSConfigOption>
}

/** `io.k8s.api.core.v1.PodDNSConfigOption` */
export interface PodDNSConfigOption {
  readonly name?: string
  readonly value?: string
}

/** `io.k8s.api.core.v1.PodExecOptions` */
export interface PodExecOptions {
  readonly apiVersion: string
  readonly kind: string
  readonly stdin?: boolean
  readonly stdout?: boolean
  readonly stderr?: boolean
  readonly tty?: boolean
  readonly container?: string
  readonly command: ReadonlyArray<string>
}

/** `io.k8s.api.core.v1.PodExtendedResourceClaimStatus` */
export interface PodExtendedResourceClaimStatus {
  readonly requestMappings: ReadonlyArray<ContainerExtendedResourceRequest>
  readonly resourceClaimName: string
}

/** `io.k8s.api.core.v1.PodIP` */
export interface PodIP {
  readonly ip: string
}

/** `io.k8s.api.core.v1.PodList` */
export interface PodList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<Pod>
}

/** `io.k8s.api.core.v1.PodLogOptions` */
export interface PodLogOptions {
  readonly apiVersion: string
  readonly kind: string
  readonly container?: string
  readonly follow?: boolean
  readonly previous?: boolean
  readonly sinceSeconds?: number
  readonly sinceTime?: string
  readonly timestamps?: boolean
  readonly tailLines?: number
  readonly limitBytes?: number
  readonly insecureSkipTLSVerifyBackend?: boolean
  readonly stream?: string
}

/** `io.k8s.api.core.v1.PodOS` */
export interface PodOS {
  readonly name: string
}

/** `io.k8s.api.core.v1.PodPortForwardOptions` */
export interface PodPortForwardOptions {
  readonly apiVersion: string
  readonly kind: string
  readonly ports?: ReadonlyArray<number>
}

/** `io.k8s.api.core.v1.PodProxyOptions` */
export interface PodProxyOptions {
  readonly apiVersion: string
  readonly kind: string
  readonly path?: string
}

/** `io.k8s.api.core.v1.PodReadinessGate` */
export interface PodReadinessGate {
  readonly conditionType: string
}

/** `io.k8s.api.core.v1.PodResourceClaim` */
export interface PodResourceClaim {
  readonly name: string
  readonly resourceClaimName?: string
  readonly resourceClaimTemplateName?: string
}

/** `io.k8s.api.core.v1.PodResourceClaimStatus` */
export interface PodResourceClaimStatus {
  readonly name: string
  readonly resourceClaimName?: string
}

/** `io.k8s.api.core.v1.PodSchedulingGate` */
export interface PodSchedulingGate {
  readonly name: string
}

/** `io.k8s.api.core.v1.PodSchedulingGroup` */
export interface PodSchedulingGroup {
  readonly podGroupName?: string
}

/** `io.k8s.api.core.v1.PodSecurityContext` */
export interface PodSecurityContext {
  readonly seLinuxOptions?: SELinuxOptions
  readonly windowsOptions?: WindowsSecurityContextOptions
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly runAsNonRoot?: boolean
  readonly supplementalGroups?: ReadonlyArray<number>
  readonly supplementalGroupsPolicy?: SupplementalGroupsPolicy
  readonly fsGroup?: number
  readonly sysctls?: ReadonlyArray<Sysctl>
  readonly fsGroupChangePolicy?: PodFSGroupChangePolicy
  readonly seccompProfile?: SeccompProfile
  readonly appArmorProfile?: AppArmorProfile
  readonly seLinuxChangePolicy?: string
}

/** `io.k8s.api.core.v1.PodSignature` */
export interface PodSignature {
  readonly podController?: MetaV1.OwnerReference
}

/** `io.k8s.api.core.v1.PodSpec` */
export interface PodSpec {
  readonly volumes?: ReadonlyArray<Volume>
  readonly initContainers?: ReadonlyArray<Container>
  readonly containers: ReadonlyArray<Container>
  readonly ephemeralContainers?: ReadonlyArray<EphemeralContainer>
  readonly restartPolicy?: RestartPolicy
  readonly terminationGracePeriodSeconds?: number
  readonly activeDeadlineSeconds?: number
  readonly dnsPolicy?: DNSPolicy
  readonly nodeSelector?: Readonly<Record<string, string>>
  readonly serviceAccountName?: string
  readonly serviceAccount?: string
  readonly automountServiceAccountToken?: boolean
  readonly nodeName?: string
  readonly hostNetwork?: boolean
  readonly hostPID?: boolean
  readonly hostIPC?: boolean
  readonly shareProcessNamespace?: boolean
  readonly securityContext?: PodSecurityContext
  readonly imagePullSecrets?: ReadonlyArray<LocalObjectReference>
  readonly hostname?: string
  readonly subdomain?: string
  readonly affinity?: Affinity
  readonly schedulerName?: string
  readonly tolerations?: ReadonlyArray<Toleration>
  readonly hostAliases?: ReadonlyArray<HostAlias>
  readonly priorityClassName?: string
  readonly priority?: number
  readonly dnsConfig?: PodDNSConfig
  readonly readinessGates?: ReadonlyArray<PodReadinessGate>
  readonly runtimeClassName?: string
  readonly enableServiceLinks?: boolean
  readonly preemptionPolicy?: PreemptionPolicy
  readonly overhead?: Readonly<Record<string, string>>
  readonly topologySpreadConstraints?: ReadonlyArray<TopologySpreadConstraint>
  readonly setHostnameAsFQDN?: boolean
  readonly os?: PodOS
  readonly hostUsers?: boolean
  readonly schedulingGates?: ReadonlyArray<PodSchedulingGate>
  readonly resourceClaims?: ReadonlyArray<PodResourceClaim>
  readonly resources?: ResourceRequirements
  readonly hostnameOverride?: string
  readonly schedulingGroup?: PodSchedulingGroup
}

/** `io.k8s.api.core.v1.PodStatus` */
export interface PodStatus {
  readonly observedGeneration?: number
  readonly phase?: PodPhase
  readonly conditions?: ReadonlyArray<PodCondition>
  readonly message?: string
  readonly reason?: string
  readonly nominatedNodeName?: string
  readonly hostIP?: string
  readonly hostIPs?: ReadonlyArray<HostIP>
  readonly podIP?: string
  readonly podIPs?: ReadonlyArray<PodIP>
  readonly startTime?: string
  readonly initContainerStatuses?: ReadonlyArray<ContainerStatus>
  readonly containerStatuses?: ReadonlyArray<ContainerStatus>
  readonly qosClass?: PodQOSClass
  readonly ephemeralContainerStatuses?: ReadonlyArray<ContainerStatus>
  readonly resize?: string
  readonly resourceClaimStatuses?: ReadonlyArray<PodResourceClaimStatus>
  readonly extendedResourceClaimStatus?: PodExtendedResourceClaimStatus
  readonly allocatedResources?: Readonly<Record<string, string>>
  readonly resources?: ResourceRequirements
  readonly nodeAllocatableResourceClaimStatuses?: ReadonlyArray<NodeAllocatableResourceClaimStatus>
}

/** `io.k8s.api.core.v1.PodStatusResult` */
export interface PodStatusResult {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly status?: PodStatus
}

/** `io.k8s.api.core.v1.PodTemplate` */
export interface PodTemplate {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly template?: PodTemplateSpec
}

/** `io.k8s.api.core.v1.PodTemplateList` */
export interface PodTemplateList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<PodTemplate>
}

/** `io.k8s.api.core.v1.PodTemplateSpec` */
export interface PodTemplateSpec {
  readonly metadata?: MetaV1.ObjectMeta
  readonly spec?: PodSpec
}

/** `io.k8s.api.core.v1.PortStatus` */
export interface PortStatus {
  readonly port: number
  readonly protocol: Protocol
  readonly error?: string
}

/** `io.k8s.api.core.v1.PortworxVolumeSource` */
export interface PortworxVolumeSource {
  readonly volumeID: string
  readonly fsType?: string
  readonly readOnly?: boolean
}

/** `io.k8s.api.core.v1.Preconditions` */
export interface Preconditions {
  readonly uid?: string
}

/** `io.k8s.api.core.v1.PreferAvoidPodsEntry` */
export interface PreferAvoidPodsEntry {
  readonly podSignature: PodSignature
  readonly evictionTime?: string
  readonly reason?: string
  readonly message?: string
}

/** `io.k8s.api.core.v1.PreferredSchedulingTerm` */
export interface PreferredSchedulingTerm {
  readonly weight: number
  readonly preference: NodeSelectorTerm
}

/** `io.k8s.api.core.v1.Probe` */
export interface Probe extends ProbeHandler {
  readonly initialDelaySeconds?: number
  readonly timeoutSeconds?: number
  readonly periodSeconds?: number
  readonly successThreshold?: number
  readonly failureThreshold?: number
  readonly terminationGracePeriodSeconds?: number
}

/** `io.k8s.api.core.v1.ProbeHandler` */
export interface ProbeHandler {
  readonly exec?: ExecAction
  readonly httpGet?: HTTPGetAction
  readonly tcpSocket?: TCPSocketAction
  readonly grpc?: GRPCAction
}

/** `io.k8s.api.core.v1.ProjectedVolumeSource` */
export interface ProjectedVolumeSource {
  readonly sources?: ReadonlyArray<VolumeProjection>
  readonly defaultMode?: number
}

/** `io.k8s.api.core.v1.QuobyteVolumeSource` */
export interface QuobyteVolumeSource {
  readonly registry: string
  readonly volume: string
  readonly readOnly?: boolean
  readonly user?: string
  readonly group?: string
  readonly tenant?: string
}

/** `io.k8s.api.core.v1.RBDPersistentVolumeSource` */
export interface RBDPersistentVolumeSource {
  readonly monitors: ReadonlyArray<string>
  readonly image: string
  readonly fsType?: string
  readonly pool?: string
  readonly user?: string
  readonly keyring?: string
  readonly secretRef?: SecretReference
  readonly readOnly?: boolean
}

/** `io.k8s.api.core.v1.RBDVolumeSource` */
export interface RBDVolumeSource {
  readonly monitors: ReadonlyArray<string>
  readonly image: string
  readonly fsType?: string
  readonly pool?: string
  readonly user?: string
  readonly keyring?: string
  readonly secretRef?: LocalObjectReference
  readonly readOnly?: boolean
}

/** `io.k8s.api.core.v1.RangeAllocation` */
export interface RangeAllocation {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly range: string
  readonly data: string
}

/** `io.k8s.api.core.v1.ReplicationController` */
export interface ReplicationController {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: ReplicationControllerSpec
  readonly status?: ReplicationControllerStatus
}

/** `io.k8s.api.core.v1.ReplicationControllerCondition` */
export interface ReplicationControllerCondition {
  readonly type: string
  readonly status: string
  readonly lastTransitionTime?: string
  readonly reason?: string
  readonly message?: string
}

/** `io.k8s.api.core.v1.ReplicationControllerList` */
export interface ReplicationControllerList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<ReplicationController>
}

/** `io.k8s.api.core.v1.ReplicationControllerSpec` */
export interface ReplicationControllerSpec {
  readonly replicas?: number
  readonly minReadySeconds?: number
  readonly selector?: Readonly<Record<string, string>>
  readonly template?: PodTemplateSpec
}

/** `io.k8s.api.core.v1.ReplicationControllerStatus` */
export interface ReplicationControllerStatus {
  readonly replicas: number
  readonly fullyLabeledReplicas?: number
  readonly readyReplicas?: number
  readonly availableReplicas?: number
  readonly observedGeneration?: number
  readonly conditions?: ReadonlyArray<ReplicationControllerCondition>
}

/** `io.k8s.api.core.v1.ResourceClaim` */
export interface ResourceClaim {
  readonly name: string
  readonly request?: string
}

/** `io.k8s.api.core.v1.ResourceFieldSelector` */
export interface ResourceFieldSelector {
  readonly containerName?: string
  readonly resource: string
  readonly divisor?: string
}

/** `io.k8s.api.core.v1.ResourceHealth` */
export interface ResourceHealth {
  readonly resourceID: string
  readonly health?: string
  readonly message?: string
}

/** `io.k8s.api.core.v1.ResourceQuota` */
export interface ResourceQuota {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: ResourceQuotaSpec
  readonly status?: ResourceQuotaStatus
}

/** `io.k8s.api.core.v1.ResourceQuotaList` */
export interface ResourceQuotaList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<ResourceQuota>
}

/** `io.k8s.api.core.v1.ResourceQuotaSpec` */
export interface ResourceQuotaSpec {
  readonly hard?: Readonly<Record<string, string>>
  readonly scopes?: ReadonlyArray<string>
  readonly scopeSelector?: ScopeSelector
}

/** `io.k8s.api.core.v1.ResourceQuotaStatus` */
export interface ResourceQuotaStatus {
  readonly hard?: Readonly<Record<string, string>>
  readonly used?: Readonly<Record<string, string>>
}

/** `io.k8s.api.core.v1.ResourceRequirements` */
export interface ResourceRequirements {
  readonly limits?: Readonly<Record<string, string>>
  readonly requests?: Readonly<Record<string, string>>
  readonly claims?: ReadonlyArray<ResourceClaim>
}

/** `io.k8s.api.core.v1.ResourceStatus` */
export interface ResourceStatus {
  readonly name: string
  readonly resources?: ReadonlyArray<ResourceHealth>
}

/** `io.k8s.api.core.v1.SELinuxOptions` */
export interface SELinuxOptions {
  readonly user?: string
  readonly role?: string
  readonly type?: string
  readonly level?: string
}

/** `io.k8s.api.core.v1.ScaleIOPersistentVolumeSource` */
export interface ScaleIOPersistentVolumeSource {
  readonly gateway: string
  readonly system: string
  readonly secretRef: SecretReference
  readonly sslEnabled?: boolean
  readonly protectionDomain?: string
  readonly storagePool?: string
  readonly storageMode?: string
  readonly volumeName?: string
  readonly fsType?: string
  readonly readOnly?: boolean
}

/** `io.k8s.api.core.v1.ScaleIOVolumeSource` */
export interface ScaleIOVolumeSource {
  readonly gateway: string
  readonly system: string
  readonly secretRef: LocalObjectReference
  readonly sslEnabled?: boolean
  readonly protectionDomain?: string
  readonly storagePool?: string
  readonly storageMode?: string
  readonly volumeName?: string
  readonly fsType?: string
  readonly readOnly?: boolean
}

/** `io.k8s.api.core.v1.ScopeSelector` */
export interface ScopeSelector {
  readonly matchExpressions?: ReadonlyArray<ScopedResourceSelectorRequirement>
}

/** `io.k8s.api.core.v1.ScopedResourceSelectorRequirement` */
export interface ScopedResourceSelectorRequirement {
  readonly scopeName: ResourceQuotaScope
  readonly operator: ScopeSelectorOperator
  readonly values?: ReadonlyArray<string>
}

/** `io.k8s.api.core.v1.SeccompProfile` */
export interface SeccompProfile {
  readonly type: SeccompProfileType
  readonly localhostProfile?: string
}

/** `io.k8s.api.core.v1.Secret` */
export interface Secret {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly immutable?: boolean
  readonly data?: Readonly<Record<string, string>>
  readonly stringData?: Readonly<Record<string, string>>
  readonly type?: string
}

/** `io.k8s.api.core.v1.SecretEnvSource` */
export interface SecretEnvSource extends LocalObjectReference {
  readonly optional?: boolean
}

/** `io.k8s.api.core.v1.SecretKeySelector` */
export interface SecretKeySelector extends LocalObjectReference {
  readonly key: string
  readonly optional?: boolean
}

/** `io.k8s.api.core.v1.SecretList` */
export interface SecretList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<Secret>
}

/** `io.k8s.api.core.v1.SecretProjection` */
export interface SecretProjection extends LocalObjectReference {
  readonly items?: ReadonlyArray<KeyToPath>
  readonly optional?: boolean
}

/** `io.k8s.api.core.v1.SecretReference` */
export interface SecretReference {
  readonly name?: string
  readonly namespace?: string
}

/** `io.k8s.api.core.v1.SecretVolumeSource` */
export interface SecretVolumeSource {
  readonly secretName?: string
  readonly items?: ReadonlyArray<KeyToPath>
  readonly defaultMode?: number
  readonly optional?: boolean
}

/** `io.k8s.api.core.v1.SecurityContext` */
export interface SecurityContext {
  readonly capabilities?: Capabilities
  readonly privileged?: boolean
  readonly seLinuxOptions?: SELinuxOptions
  readonly windowsOptions?: WindowsSecurityContextOptions
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly runAsNonRoot?: boolean
  readonly readOnlyRootFilesystem?: boolean
  readonly allowPrivilegeEscalation?: boolean
  readonly procMount?: ProcMountType
  readonly seccompProfile?: SeccompProfile
  readonly appArmorProfile?: AppArmorProfile
}

/** `io.k8s.api.core.v1.SerializedReference` */
export interface SerializedReference {
  readonly apiVersion: string
  readonly kind: string
  readonly reference?: ObjectReference
}

/** `io.k8s.api.core.v1.Service` */
export interface Service {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: ServiceSpec
  readonly status?: ServiceStatus
}

/** `io.k8s.api.core.v1.ServiceAccount` */
export interface ServiceAccount {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly secrets?: ReadonlyArray<ObjectReference>
  readonly imagePullSecrets?: ReadonlyArray<LocalObjectReference>
  readonly automountServiceAccountToken?: boolean
}

/** `io.k8s.api.core.v1.ServiceAccountList` */
export interface ServiceAccountList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<ServiceAccount>
}

/** `io.k8s.api.core.v1.ServiceAccountTokenProjection` */
export interface ServiceAccountTokenProjection {
  readonly audience?: string
  readonly expirationSeconds?: number
  readonly path: string
}

/** `io.k8s.api.core.v1.ServiceList` */
export interface ServiceList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<Service>
}

/** `io.k8s.api.core.v1.ServicePort` */
export interface ServicePort {
  readonly name?: string
  readonly protocol?: Protocol
  readonly appProtocol?: string
  readonly port: number
  readonly targetPort?: number | string
  readonly nodePort?: number
}

/** `io.k8s.api.core.v1.ServiceProxyOptions` */
export interface ServiceProxyOptions {
  readonly apiVersion: string
  readonly kind: string
  readonly path?: string
}

/** `io.k8s.api.core.v1.ServiceSpec` */
export interface ServiceSpec {
  readonly ports?: ReadonlyArray<ServicePort>
  readonly selector?: Readonly<Record<string, string>>
  readonly clusterIP?: string
  readonly clusterIPs?: ReadonlyArray<string>
  readonly type?: ServiceType
  readonly externalIPs?: ReadonlyArray<string>
  readonly sessionAffinity?: ServiceAffinity
  readonly loadBalancerIP?: string
  readonly loadBalancerSourceRanges?: ReadonlyArray<string>
  readonly externalName?: string
  readonly externalTrafficPolicy?: ServiceExternalTrafficPolicy
  readonly healthCheckNodePort?: number
  readonly publishNotReadyAddresses?: boolean
  readonly sessionAffinityConfig?: SessionAffinityConfig
  readonly ipFamilies?: ReadonlyArray<string>
  readonly ipFamilyPolicy?: IPFamilyPolicy
  readonly allocateLoadBalancerNodePorts?: boolean
  readonly loadBalancerClass?: string
  readonly internalTrafficPolicy?: ServiceInternalTrafficPolicy
  readonly trafficDistribution?: string
}

/** `io.k8s.api.core.v1.ServiceStatus` */
export interface ServiceStatus {
  readonly loadBalancer?: LoadBalancerStatus
  readonly conditions?: ReadonlyArray<MetaV1.Condition>
}

/** `io.k8s.api.core.v1.SessionAffinityConfig` */
export interface SessionAffinityConfig {
  readonly clientIP?: ClientIPConfig
}

/** `io.k8s.api.core.v1.SleepAction` */
export interface SleepAction {
  readonly seconds: number
}

/** `io.k8s.api.core.v1.StorageOSPersistentVolumeSource` */
export interface StorageOSPersistentVolumeSource {
  readonly volumeName?: string
  readonly volumeNamespace?: string
  readonly fsType?: string
  readonly readOnly?: boolean
  readonly secretRef?: ObjectReference
}

/** `io.k8s.api.core.v1.StorageOSVolumeSource` */
export interface StorageOSVolumeSource {
  readonly volumeName?: string
  readonly volumeNamespace?: string
  readonly fsType?: string
  readonly readOnly?: boolean
  readonly secretRef?: LocalObjectReference
}

/** `io.k8s.api.core.v1.Sysctl` */
export interface Sysctl {
  readonly name: string
  readonly value: string
}

/** `io.k8s.api.core.v1.TCPSocketAction` */
export interface TCPSocketAction {
  readonly port: number | string
  readonly host?: string
}

/** `io.k8s.api.core.v1.Taint` */
export interface Taint {
  readonly key: string
  readonly value?: string
  readonly effect: TaintEffect
  readonly timeAdded?: string
}

/** `io.k8s.api.core.v1.Toleration` */
export interface Toleration {
  readonly key?: string
  readonly operator?: TolerationOperator
  readonly value?: string
  readonly effect?: TaintEffect
  readonly tolerationSeconds?: number
}

/** `io.k8s.api.core.v1.TopologySelectorLabelRequirement` */
export interface TopologySelectorLabelRequirement {
  readonly key: string
  readonly values: ReadonlyArray<string>
}

/** `io.k8s.api.core.v1.TopologySelectorTerm` */
export interface TopologySelectorTerm {
  readonly matchLabelExpressions?: ReadonlyArray<TopologySelectorLabelRequirement>
}

/** `io.k8s.api.core.v1.TopologySpreadConstraint` */
export interface TopologySpreadConstraint {
  readonly maxSkew: number
  readonly topologyKey: string
  readonly whenUnsatisfiable: UnsatisfiableConstraintAction
  readonly labelSelector?: MetaV1.LabelSelector
  readonly minDomains?: number
  readonly nodeAffinityPolicy?: NodeInclusionPolicy
  readonly nodeTaintsPolicy?: NodeInclusionPolicy
  readonly matchLabelKeys?: ReadonlyArray<string>
}

/** `io.k8s.api.core.v1.TypedLocalObjectReference` */
export interface TypedLocalObjectReference {
  readonly apiGroup?: string
  readonly kind: string
  readonly name: string
}

/** `io.k8s.api.core.v1.TypedObjectReference` */
export interface TypedObjectReference {
  readonly apiGroup?: string
  readonly kind: string
  readonly name: string
  readonly namespace?: string
}

/** `io.k8s.api.core.v1.Volume` */
export interface Volume extends VolumeSource {
  readonly name: string
}

/** `io.k8s.api.core.v1.VolumeDevice` */
export interface VolumeDevice {
  readonly name: string
  readonly devicePath: string
}

/** `io.k8s.api.core.v1.VolumeMount` */
export interface VolumeMount {
  readonly name: string
  readonly readOnly?: boolean
  readonly recursiveReadOnly?: string
  readonly mountPath: string
  readonly subPath?: string
  readonly mountPropagation?: MountPropagationMode
  readonly subPathExpr?: string
}

/** `io.k8s.api.core.v1.VolumeMountStatus` */
export interface VolumeMountStatus {
  readonly name: string
  readonly mountPath: string
  readonly readOnly?: boolean
  readonly recursiveReadOnly?: string
  readonly volumeStatus?: VolumeStatus
}

/** `io.k8s.api.core.v1.VolumeNodeAffinity` */
export interface VolumeNodeAffinity {
  readonly required?: NodeSelector
}

/** `io.k8s.api.core.v1.VolumeProjection` */
export interface VolumeProjection {
  readonly secret?: SecretProjection
  readonly downwardAPI?: DownwardAPIProjection
  readonly configMap?: ConfigMapProjection
  readonly serviceAccountToken?: ServiceAccountTokenProjection
  readonly clusterTrustBundle?: ClusterTrustBundleProjection
  readonly podCertificate?: PodCertificateProjection
}

/** `io.k8s.api.core.v1.VolumeResourceRequirements` */
export interface VolumeResourceRequirements {
  readonly limits?: Readonly<Record<string, string>>
  readonly requests?: Readonly<Record<string, string>>
}

/** `io.k8s.api.core.v1.VolumeSource` */
export interface VolumeSource {
  readonly hostPath?: HostPathVolumeSource
  readonly emptyDir?: EmptyDirVolumeSource
  readonly gcePersistentDisk?: GCEPersistentDiskVolumeSource
  readonly awsElasticBlockStore?: AWSElasticBlockStoreVolumeSource
  readonly gitRepo?: GitRepoVolumeSource
  readonly secret?: SecretVolumeSource
  readonly nfs?: NFSVolumeSource
  readonly iscsi?: ISCSIVolumeSource
  readonly glusterfs?: GlusterfsVolumeSource
  readonly persistentVolumeClaim?: PersistentVolumeClaimVolumeSource
  readonly rbd?: RBDVolumeSource
  readonly flexVolume?: FlexVolumeSource
  readonly cinder?: CinderVolumeSource
  readonly cephfs?: CephFSVolumeSource
  readonly flocker?: FlockerVolumeSource
  readonly downwardAPI?: DownwardAPIVolumeSource
  readonly fc?: FCVolumeSource
  readonly azureFile?: AzureFileVolumeSource
  readonly configMap?: ConfigMapVolumeSource
  readonly vsphereVolume?: VsphereVirtualDiskVolumeSource
  readonly quobyte?: QuobyteVolumeSource
  readonly azureDisk?: AzureDiskVolumeSource
  readonly photonPersistentDisk?: PhotonPersistentDiskVolumeSource
  readonly projected?: ProjectedVolumeSource
  readonly portworxVolume?: PortworxVolumeSource
  readonly scaleIO?: ScaleIOVolumeSource
  readonly storageos?: StorageOSVolumeSource
  readonly csi?: CSIVolumeSource
  readonly ephemeral?: EphemeralVolumeSource
  readonly image?: ImageVolumeSource
}

/** `io.k8s.api.core.v1.VolumeStatus` */
export interface VolumeStatus {
  readonly image?: ImageVolumeStatus
}

/** `io.k8s.api.core.v1.VsphereVirtualDiskVolumeSource` */
export interface VsphereVirtualDiskVolumeSource {
  readonly volumePath: string
  readonly fsType?: string
  readonly storagePolicyName?: string
  readonly storagePolicyID?: string
}

/** `io.k8s.api.core.v1.WeightedPodAffinityTerm` */
export interface WeightedPodAffinityTerm {
  readonly weight: number
  readonly podAffinityTerm: PodAffinityTerm
}

/** `io.k8s.api.core.v1.WindowsSecurityContextOptions` */
export interface WindowsSecurityContextOptions {
  readonly gmsaCredentialSpecName?: string
  readonly gmsaCredentialSpec?: string
  readonly runAsUserName?: string
  readonly hostProcess?: boolean
}

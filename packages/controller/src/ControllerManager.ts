/** All cluster controllers of this package as one unit, alone or under leader election. */
import { type ApiClient, EventRecorder, type LeaderElection } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as CertificateController from "./CertificateController.js"
import * as ClusterInformers from "./ClusterInformers.js"
import * as ClusterRoleAggregationController from "./ClusterRoleAggregationController.js"
import * as Controller from "./Controller.js"
import * as CronJobController from "./CronJobController.js"
import * as DaemonSetController from "./DaemonSetController.js"
import * as DeploymentController from "./DeploymentController.js"
import * as DisruptionController from "./DisruptionController.js"
import * as EndpointSliceController from "./EndpointSliceController.js"
import * as EndpointSliceMirroringController from "./EndpointSliceMirroringController.js"
import * as EndpointsController from "./EndpointsController.js"
import * as EphemeralVolumeController from "./EphemeralVolumeController.js"
import * as EventCollector from "./EventCollector.js"
import * as GarbageCollector from "./GarbageCollector.js"
import * as HorizontalPodAutoscalerController from "./HorizontalPodAutoscalerController.js"
import * as JobController from "./JobController.js"
import * as JobTtlController from "./JobTtlController.js"
import * as NamespaceController from "./NamespaceController.js"
import * as NodeController from "./NodeController.js"
import * as PodGarbageCollector from "./PodGarbageCollector.js"
import * as ReplicaSetController from "./ReplicaSetController.js"
import * as ReplicationManager from "./ReplicationManager.js"
import * as ResourceQuotaController from "./ResourceQuotaController.js"
import * as RootCaController from "./RootCaController.js"
import * as ServiceAccountController from "./ServiceAccountController.js"
import * as StatefulSetController from "./StatefulSetController.js"
import * as TaintEvictionController from "./TaintEvictionController.js"
import * as VolumeBinderController from "./VolumeBinderController.js"
import * as VolumeProtectionController from "./VolumeProtectionController.js"
import * as ZfsVolumeController from "./ZfsVolumeController.js"

/**
 * Options of each controller; what is left out has its default.
 *
 * @category models
 */
export interface Options {
  readonly node?: NodeController.Options
  readonly podGarbageCollector?: PodGarbageCollector.Options
  readonly namespace?: NamespaceController.Options
  readonly serviceAccount?: ServiceAccountController.Options
  readonly events?: EventCollector.Options
  readonly garbageCollector?: GarbageCollector.Options
  readonly deployment?: DeploymentController.Options
  readonly replicaSet?: ReplicaSetController.Options
  readonly replicationController?: ReplicationManager.Options
  readonly statefulSet?: StatefulSetController.Options
  readonly daemonSet?: DaemonSetController.Options
  readonly horizontalPodAutoscaler?: HorizontalPodAutoscalerController.Options
  readonly job?: JobController.Options
  readonly cronJob?: CronJobController.Options
  readonly jobTtl?: JobTtlController.Options
  readonly endpoints?: EndpointsController.Options
  readonly endpointSlice?: EndpointSliceController.Options
  readonly endpointSliceMirroring?: EndpointSliceMirroringController.Options
  readonly disruption?: DisruptionController.Options
  readonly resourceQuota?: ResourceQuotaController.Options
  readonly clusterRoleAggregation?: ClusterRoleAggregationController.Options
  readonly volumeBinder?: VolumeBinderController.Options
  readonly volumeProtection?: VolumeProtectionController.Options
  readonly ephemeralVolume?: EphemeralVolumeController.Options
  readonly zfsVolume?: ZfsVolumeController.Options
  /** Approves and signs requests for certificates; without it they wait for somebody else. */
  readonly certificates?: CertificateController.Options
  readonly taintEviction?: TaintEvictionController.Options
  /** Gives every namespace the certificate authority of the server; without it no namespace gets one. */
  readonly rootCa?: RootCaController.Options
  /** Run the controllers only while this process holds the lease. Without it they run at once: right for a single server. */
  readonly election?: LeaderElection.Options
}

/**
 * Starts all controllers, which then run as long as the scope. Does not wait for them: each begins when the server can be reached.
 *
 * @category constructors
 */
export const run = (
  options: Options = {}
): Effect.Effect<void, never, ApiClient.ApiClient | EventRecorder.EventRecorder | Scope.Scope> => {
  const start = Effect.flatMap(ClusterInformers.make, (informers) =>
    Effect.all([
      NodeController.run({ informers, ...options.node }).pipe(EventRecorder.as("node-controller")),
      TaintEvictionController.run({ informers, ...options.taintEviction }).pipe(EventRecorder.as("taint-eviction-controller")),
      PodGarbageCollector.run({ informers, ...options.podGarbageCollector }),
      NamespaceController.run({ informers, ...options.namespace }),
      ServiceAccountController.run({ informers, ...options.serviceAccount }),
      ...(options.rootCa === undefined ? [] : [RootCaController.run({ informers, ...options.rootCa })]),
      DeploymentController.run({ informers, ...options.deployment }).pipe(EventRecorder.as("deployment-controller")),
      ReplicaSetController.run({ informers, ...options.replicaSet }).pipe(EventRecorder.as("replicaset-controller")),
      ReplicationManager.run({ informers, ...options.replicationController }).pipe(EventRecorder.as("replication-controller")),
      StatefulSetController.run({ informers, ...options.statefulSet }).pipe(EventRecorder.as("statefulset-controller")),
      DaemonSetController.run({ informers, ...options.daemonSet }).pipe(EventRecorder.as("daemonset-controller")),
      HorizontalPodAutoscalerController.run({ informers, ...options.horizontalPodAutoscaler }).pipe(EventRecorder.as("horizontal-pod-autoscaler")),
      JobController.run({ informers, ...options.job }).pipe(EventRecorder.as("job-controller")),
      CronJobController.run(options.cronJob).pipe(EventRecorder.as("cronjob-controller")),
      EndpointsController.run({ informers, ...options.endpoints }).pipe(EventRecorder.as("endpoint-controller")),
      EndpointSliceController.run({ informers, ...options.endpointSlice }).pipe(EventRecorder.as("endpoint-slice-controller")),
      EndpointSliceMirroringController.run({ informers, ...options.endpointSliceMirroring }),
      DisruptionController.run({ informers, ...options.disruption }).pipe(EventRecorder.as("controllermanager")),
      ResourceQuotaController.run({ informers, ...options.resourceQuota }),
      ClusterRoleAggregationController.run(options.clusterRoleAggregation),
      VolumeBinderController.run(options.volumeBinder).pipe(EventRecorder.as("persistentvolume-controller")),
      VolumeProtectionController.run({ informers, ...options.volumeProtection }),
      EphemeralVolumeController.run({ informers, ...options.ephemeralVolume }).pipe(EventRecorder.as("ephemeral-volume-controller")),
      ZfsVolumeController.run({ informers, ...options.zfsVolume }).pipe(EventRecorder.as("zfs-volume-controller")),
      ...(options.certificates === undefined ? [] : [CertificateController.run(options.certificates)]),
      GarbageCollector.run(options.garbageCollector).pipe(EventRecorder.as("garbage-collector-controller")),
      JobTtlController.run(options.jobTtl),
      EventCollector.run(options.events)
    ], { concurrency: "unbounded", discard: true }))
  const work = options.election === undefined ? Effect.scoped(Effect.zipRight(start, Effect.never)) : Controller.whileLeading(options.election, start)
  return Effect.asVoid(Effect.forkScoped(Effect.interruptible(work)))
}

/**
 * The controllers as a layer without a service.
 *
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<never, never, ApiClient.ApiClient | EventRecorder.EventRecorder> =>
  Layer.scopedDiscard(run(options))

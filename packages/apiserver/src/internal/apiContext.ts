/** What the handlers of requests work with. */
import type { Kind, KindRegistry, KubeObject } from "@reddwarf/api-types"
import type { WatchCache } from "@reddwarf/event-bus"
import type { ObjectStore } from "@reddwarf/store"
import type * as Context from "effect/Context"
import type { ClusterView, Plugin } from "../admission/Admission.js"
import type { Authorizer } from "../authorization/Authorizer.js"
import type { ComputedResource } from "../ComputedResources.js"
import type { ApiRequest } from "../ApiRequest.js"
import type { KubeletClient } from "../KubeletClient.js"
import type { Accepted } from "../Negotiation.js"
import type { RequestInfo } from "../RequestInfo.js"
import type { ServiceAccountTokens } from "../authentication/ServiceAccountTokens.js"
import type { TokenAuthenticator } from "../authentication/TokenAuthenticator.js"
import type { UserInfo } from "../authentication/UserInfo.js"
import type { Renewals } from "./leaseRenewal.js"
import type { NodeIndex } from "./nodeIndex.js"
import type { WebhookClient } from "./webhookClient.js"

/** Services and settings of one API server. */
export interface ApiContext {
  readonly registry: KindRegistry.Registry
  /** Kinds whose objects are not stored. */
  readonly computed: ReadonlyMap<Kind.Kind, ComputedResource>
  readonly store: Context.Tag.Service<ObjectStore.ObjectStore>
  readonly cache: Context.Tag.Service<WatchCache.WatchCache>
  readonly podsByNode: NodeIndex
  readonly kubelet: Context.Tag.Service<KubeletClient>
  /** Issues tokens of ServiceAccounts. */
  readonly tokens: Context.Tag.Service<ServiceAccountTokens>
  /** Knows whose a token is. */
  readonly holders: Context.Tag.Service<TokenAuthenticator>
  /** Decides who may do what; reviews ask it as well. */
  readonly authorizer: Context.Tag.Service<Authorizer>
  readonly plugins: ReadonlyArray<Plugin>
  /** Calls the webhooks that users have configured. */
  readonly webhooks: WebhookClient
  readonly view: ClusterView
  /** What was last said of leases. */
  readonly renewals: Renewals
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** From 0 up to 1, for generated names and jitter. */
  readonly random: () => number
  /** Milliseconds between bookmarks of a watch. */
  readonly bookmarkMillis: number
}

/** A request that was routed to a kind. */
export interface ResourceRequest {
  readonly context: ApiContext
  readonly request: ApiRequest
  readonly user: UserInfo
  readonly info: RequestInfo
  readonly kind: Kind.Kind
  readonly accepted: Accepted
  /** See `Admission.Attributes`. */
  readonly onSettled: (run: () => void) => void
  /** See `Admission.Attributes`. */
  readonly warn: (text: string) => void
}

const isKubeObject = (value: unknown): value is KubeObject.KubeObject =>
  typeof value === "object" && value !== null && "metadata" in value && typeof value.metadata === "object"

/** The object of a stored entry. Only objects are stored, so anything else is a defect. */
export const objectOf = (entry: { readonly key: string; readonly object: unknown }): KubeObject.KubeObject => {
  if (isKubeObject(entry.object)) return entry.object
  throw new Error(`the entry ${entry.key} does not hold an API object`)
}

/** The trust anchors that projected volumes of a pod ask for: those of one ClusterTrustBundle, or of all that a selector finds for a signer. */
import { type CertificatesV1beta1, type CoreV1, Kinds, LabelSelector, TrustAnchors } from "@reddwarf/api-types"
import { type ApiClient, ClientError } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"

type Bundle = CertificatesV1beta1.ClusterTrustBundle

/** Where bundles come from: the API, or a memory of it. @category models */
export interface Reader {
  readonly trustBundle: (name: string) => Effect.Effect<Bundle, ClientError.ClientError>
  readonly trustBundles: (signer: string) => Effect.Effect<ReadonlyArray<Bundle>, ClientError.ClientError>
}

/** Asks the API each time. @category constructors */
export const direct = (client: Pick<ApiClient.Service, "get" | "list">): Reader => ({
  trustBundle: (name) => client.get(Kinds.clusterTrustBundle, { name }),
  trustBundles: (signer) => Effect.map(client.list(Kinds.clusterTrustBundle, { fieldSelector: `spec.signerName=${signer}` }), ({ items }) => items)
})

/** PEM texts by `keyOf`; what selects nothing is absent. @category models */
export type Anchors = ReadonlyMap<string, string>

/** Name of what a projection asks for. @category constructors */
export const keyOf = ({ labelSelector, name, signerName }: CoreV1.ClusterTrustBundleProjection): string =>
  name !== undefined ? `name ${name}` : `signer ${signerName ?? ""} ${JSON.stringify(labelSelector ?? null)}`

const projectionsOf = (pod: CoreV1.Pod): ReadonlyArray<CoreV1.ClusterTrustBundleProjection> =>
  (pod.spec?.volumes ?? []).flatMap(({ projected }) =>
    (projected?.sources ?? []).flatMap(({ clusterTrustBundle }) => clusterTrustBundle === undefined ? [] : [clusterTrustBundle]))

/** Without a selector nothing matches, nor with one that cannot be understood; an empty one takes all. */
const matches = ({ labelSelector }: CoreV1.ClusterTrustBundleProjection) => (bundle: Bundle): boolean => {
  const selector = LabelSelector.fromObject(labelSelector)
  return Either.isRight(selector) && LabelSelector.matches(selector.right, bundle.metadata.labels ?? {})
}

/**
 * Reads what the volumes of a pod ask for. Bundles that do not exist are left out: whether that matters is for the reader to say.
 *
 * @category constructors
 */
export const read = (reader: Reader, pod: CoreV1.Pod): Effect.Effect<Anchors, ClientError.ClientError> =>
  Effect.forEach(projectionsOf(pod), (projection) => {
    const { name, signerName = "" } = projection
    const found = name !== undefined
      ? Effect.map(reader.trustBundle(name), (bundle): ReadonlyArray<Bundle> => [bundle])
      : Effect.map(reader.trustBundles(signerName), (bundles) => bundles.filter(matches(projection)))
    return Effect.catchIf(found, ClientError.isNotFound, () => Effect.succeed([])).pipe(
      Effect.map((bundles) => bundles.length === 0 ? [] : [[keyOf(projection), TrustAnchors.join(bundles.map(({ spec }) => spec.trustBundle))] as const])
    )
  }, { concurrency: 4 }).pipe(Effect.map((entries) => new Map(entries.flat())))

/** What is told of a projection that finds nothing and is not optional. @category combinators */
export const missing = ({ name }: CoreV1.ClusterTrustBundleProjection): string =>
  name !== undefined ? `clustertrustbundle ${JSON.stringify(name)} not found` : "combination of signerName and labelSelector matched zero ClusterTrustBundles"

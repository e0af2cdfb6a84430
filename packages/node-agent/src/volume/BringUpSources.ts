/** What a pod that comes up is given: ConfigMaps and Secrets as they are now, for who makes a pod after changing one expects the change in it. */
import { type ApiClient, ClientError } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as PodSources from "./PodSources.js"

/**
 * The certificate of the API server, which the control plane puts into each namespace and each pod has in its token's volume. Nobody edits it, and
 * what is written from it is looked at again as long as the pod runs.
 */
const rootCertificate = "kube-root-ca.crt"

/**
 * Asks the API each time, but for the certificate that all pods of a namespace have, which is as it is remembered. That it is missing is not
 * remembered: it comes a moment after its namespace.
 *
 * @category constructors
 */
export const reader = (client: Pick<ApiClient.Service, "get" | "list">, remembered: PodSources.Reader): PodSources.Reader => {
  const direct = PodSources.direct(client)
  return {
    ...direct,
    configMap: (namespace, name) =>
      name === rootCertificate
        ? Effect.catchIf(remembered.configMap(namespace, name), ClientError.isNotFound, () => direct.configMap(namespace, name))
        : direct.configMap(namespace, name)
  }
}

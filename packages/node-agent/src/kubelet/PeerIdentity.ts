/** Who asks the node for something: clients of the kubelet API and of session hosts. */
import type { IncomingMessage } from "node:http"
import { TLSSocket } from "node:tls"

/** What the API server shows to agents. Every node has a certificate of the same authority, so being signed by it is not enough. */
const serverUser = "kube-apiserver-kubelet-client"
const administrators = "system:masters"

const words = (value: string | ReadonlyArray<string> | undefined): ReadonlyArray<string> =>
  value === undefined ? [] : typeof value === "string" ? [value] : value

/**
 * Why the peer may not ask; undefined when it may.
 *
 * @category combinators
 */
export const refusal = ({ socket }: IncomingMessage): { readonly status: number; readonly message: string } | undefined => {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return { status: 401, message: "Unauthorized" }
  const { subject } = socket.getPeerCertificate()
  const [user = ""] = words(subject.CN)
  return user === serverUser || words(subject.O).includes(administrators)
    ? undefined
    : { status: 403, message: `Forbidden (user=${user}, verb=get, resource=nodes, subresource=proxy)` }
}

/**
 * Fingerprint of the certificate the peer has shown: the same for all connections of one client. Empty without one.
 *
 * @category combinators
 */
export const fingerprint = ({ socket }: IncomingMessage): string =>
  socket instanceof TLSSocket && socket.authorized ? socket.getPeerCertificate().fingerprint256 : ""

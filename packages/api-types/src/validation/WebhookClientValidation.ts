/** Rules of where a webhook is reached. */
import { invalid, required } from "../FieldError.js"
import type * as AdmissionregistrationV1 from "../generated/AdmissionregistrationV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { present } from "../internal/fieldRules.js"
import * as Names from "../Names.js"

const validateUrl = (path: string, text: string): Errors => {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return [required(path, `url must be a valid URL: invalid URL; desired format: https://host[/path]`)]
  }
  return [
    ...(url.protocol === "https:" ? [] : [invalid(path, url.protocol.replace(/:$/, ""), `'https' is the only allowed URL scheme; desired format: https://host[/path]`)]),
    ...(url.host === "" ? [invalid(path, "", "host must be specified; desired format: https://host[/path]")] : []),
    ...(url.username === "" && url.password === "" ? [] : [invalid(path, url.username, "user information is not permitted in the URL")]),
    ...(url.hash === "" ? [] : [invalid(path, url.hash.slice(1), "fragments are not permitted in the URL")]),
    ...(url.search === "" ? [] : [invalid(path, url.search.slice(1), "query parameters are not permitted in the URL")])
  ]
}

/** A path of a service is made of names; an empty one could be taken for the name of a host. */
const validatePath = (path: string, text: string): Errors => {
  if (text === "/" || text === "") return []
  if (text === "//") return [invalid(path, text, "segment[0] may not be empty")]
  const steps = text.slice(1).replace(/\/$/, "").split("/")
  return [
    ...(text.startsWith("/") ? [] : [invalid(path, text, "must start with a '/'")]),
    ...steps.flatMap((step, index) =>
      step === ""
        ? [invalid(path, text, `segment[${index}] may not be empty`)]
        : Names.isDns1123Subdomain(step).map((problem) => invalid(path, text, `segment[${index}]: ${problem}`)))
  ]
}

/** A webhook is reached at a URL or through a service. @category combinators */
export const validateWebhookClient = (path: string, { service, url }: AdmissionregistrationV1.WebhookClientConfig): Errors => {
  if ((service === undefined) === (url === undefined)) return [required(path, "exactly one of url or service is required")]
  if (url !== undefined) return validateUrl(`${path}.url`, url)
  return [
    ...present(`${path}.service.name`, service?.name),
    ...present(`${path}.service.namespace`, service?.namespace),
    ...(service?.port === undefined ? [] : Names.isPortNumber(service.port).map((detail) => invalid(`${path}.service.port`, service.port, `port is not valid: ${detail}`))),
    ...validatePath(`${path}.service.path`, service?.path ?? "")
  ]
}

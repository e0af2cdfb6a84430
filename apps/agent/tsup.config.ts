import { program } from "program-bundle"
import { directImports } from "program-bundle/direct-imports"
import { defineConfig } from "tsup"

export default defineConfig(program("reddwarf-agent", [directImports]))

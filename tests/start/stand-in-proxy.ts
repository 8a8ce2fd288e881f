import { readConfig } from "#lib/config.ts";
import { standIn } from "./stand-in-part.ts";

standIn("proxy", readConfig().proxyPort);

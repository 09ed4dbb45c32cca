// Says whether Node's datagrams are loaded: with the library, and once an endpoint needs them.
import { Radio } from "../../dist/esm/module/draft.js";

const isLoaded = () => process.moduleLoadList.includes("NativeModule dgram");
const before = isLoaded();
new Radio({ linger: 0 }).connect("udp://127.0.0.1:9");
console.log(before, isLoaded());

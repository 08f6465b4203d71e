export { startArtifactServer } from './artifact-server/start-artifact-server.ts';
export { loadConfig, type Config, type ConfigOverrides } from './config/config.ts';
export { ArtifactServerError, ConfigurationError, ListenError } from './errors.ts';
export { openApiDocument } from './http/openapi.ts';
export { createLogger, type Logger } from './platform/logger.ts';
export { examineMachine } from './platform/machine.ts';
export { startPlatform, type Platform, type PlatformOptions } from './platform/platform.ts';
export { verifyFiles, type AttestedFiles } from './platform/verify-files.ts';
export { PLATFORM_VERSION } from './platform/version.ts';

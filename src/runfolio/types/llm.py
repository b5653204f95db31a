"""What is said in a chat, under the name that MLflow's scripts import: ``mlflow.types.llm``."""

from runfolio.flavors.chat_messages import (
    ChatChoice,
    ChatChoiceDelta,
    ChatChunkChoice,
    ChatCompletionChunk,
    ChatCompletionRequest,
    ChatCompletionResponse,
    ChatMessage,
    ChatParams,
    FunctionToolCallArguments,
    FunctionToolDefinition,
    ParamProperty,
    ParamType,
    TokenUsageStats,
    ToolCall,
    ToolDefinition,
    ToolParamsSchema,
)

__all__ = [
    "ChatChoice",
    "ChatChoiceDelta",
    "ChatChunkChoice",
    "ChatCompletionChunk",
    "ChatCompletionRequest",
    "ChatCompletionResponse",
    "ChatMessage",
    "ChatParams",
    "FunctionToolCallArguments",
    "FunctionToolDefinition",
    "ParamProperty",
    "ParamType",
    "TokenUsageStats",
    "ToolCall",
    "ToolDefinition",
    "ToolParamsSchema",
]

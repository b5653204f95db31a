"""What MLflow's stores can be asked for and a folio does not keep, method by method: each is refused, in words.

MLflow's own base classes raise a bare ``NotImplementedError`` there, which says nothing, and which its server answers as an internal
error. ``docs/mlflow-stores.md`` is made from these tables and the classes themselves; a test holds that no method is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from runfolio.gateway.faults import RefusedError

C = TypeVar("C", bound=type)
Table = Mapping[str, str]
"""What is not kept, and the methods that ask for it, apart by spaces."""

TRACKING: Table = {
    "traces": (
        "start_trace end_trace get_trace get_trace_info batch_get_traces batch_get_trace_infos _delete_traces archive_traces "
        "set_trace_tag delete_trace_tag log_spans query_trace_metrics calculate_trace_filter_correlation find_completed_sessions "
        "get_online_trace_details link_traces_to_run unlink_traces_from_run link_prompts_to_trace link_mcp_server_versions_to_trace "
        "get_mcp_server_versions_for_trace"
    ),
    "assessments": "create_assessment get_assessment update_assessment delete_assessment",
    "issues": "create_issue get_issue update_issue search_issues",
    "label schemas": (
        "create_label_schema get_label_schema get_label_schema_by_name update_label_schema delete_label_schema list_label_schemas"
    ),
    "review queues": (
        "create_review_queue get_review_queue get_review_queue_by_name get_or_create_user_queue update_review_queue "
        "delete_review_queue list_review_queues list_review_queue_items add_items_to_review_queue remove_items_from_review_queue "
        "set_review_queue_item_status"
    ),
    "scorers": (
        "register_scorer get_scorer delete_scorer list_scorers list_scorer_versions get_active_online_scorers "
        "get_online_scoring_configs upsert_online_scoring_config"
    ),
    "evaluation datasets": (
        "create_dataset get_dataset delete_dataset set_dataset_tags delete_dataset_tag get_dataset_experiment_ids "
        "add_dataset_to_experiments remove_dataset_from_experiments upsert_dataset_records delete_dataset_records "
        "_load_dataset_records"
    ),
    "endpoints of MLflow's AI gateway": (
        "create_gateway_secret get_secret_info update_gateway_secret delete_gateway_secret list_secret_infos "
        "create_gateway_model_definition get_gateway_model_definition update_gateway_model_definition "
        "delete_gateway_model_definition list_gateway_model_definitions create_gateway_endpoint get_gateway_endpoint "
        "update_gateway_endpoint delete_gateway_endpoint list_gateway_endpoints set_gateway_endpoint_tag "
        "delete_gateway_endpoint_tag attach_model_to_endpoint detach_model_from_endpoint create_endpoint_binding "
        "delete_endpoint_binding list_endpoint_bindings create_gateway_guardrail get_gateway_guardrail delete_gateway_guardrail "
        "list_gateway_guardrails add_guardrail_to_endpoint remove_guardrail_from_endpoint update_endpoint_guardrail_config "
        "list_endpoint_guardrail_configs create_budget_policy get_budget_policy update_budget_policy delete_budget_policy "
        "list_budget_policies sum_gateway_trace_cost"
    ),
    "MCP servers": (
        "create_mcp_server get_mcp_server update_mcp_server delete_mcp_server search_mcp_servers set_mcp_server_tag "
        "delete_mcp_server_tag set_mcp_server_alias delete_mcp_server_alias create_mcp_server_version get_mcp_server_version "
        "get_mcp_server_version_by_alias get_latest_mcp_server_version update_mcp_server_version delete_mcp_server_version "
        "search_mcp_server_versions set_mcp_server_version_tag delete_mcp_server_version_tag create_mcp_access_endpoint "
        "get_mcp_access_endpoint update_mcp_access_endpoint delete_mcp_access_endpoint search_mcp_access_endpoints"
    ),
}
REGISTRY: Table = {
    "webhooks (runfolio notify tells one of promotions)": "create_webhook get_webhook update_webhook delete_webhook test_webhook",
    "traces": "link_prompts_to_trace",
}
ARTIFACTS: Table = {
    "traces": (
        "upload_trace_data download_trace_data download_trace_data_to_file upload_attachment download_trace_attachment "
        "download_trace_attachment_to_file upload_archived_trace_data upload_archived_trace_data_bytes download_archived_trace_data"
    ),
}


def refuses(table: Table) -> Callable[[C], C]:
    """Let a class refuse the methods of a table."""

    def add(made: C) -> C:
        for what, names in table.items():
            for name in names.split():
                setattr(made, name, _refusing(what, name))
        return made

    return add


def _refusing(what: str, name: str) -> Callable[..., Any]:
    def refuse(self: Any, *_: Any, **__: Any) -> Any:
        raise RefusedError(what)

    refuse.__name__, refuse.__doc__ = name, f"Refuse: a folio keeps no {what}."
    return refuse

"""Who you are."""


class DefaultAzureCredential:
    pass

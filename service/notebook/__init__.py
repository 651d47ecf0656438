"""For analysts: a connection to the graph, questions as DataFrames, and pictures.

    from service.notebook import community_map, connect

    graph = connect(sample=True)
    graph.query("candidates", each=3)
    community_map(graph)

pandas and matplotlib are needed when they are used: `pip install 'entourage[notebooks]'`.
"""

from service.notebook.connection import Connection, connect
from service.notebook.pictures import Picture, community_flows, community_map, ego_network, score_parts

__all__ = ["Connection", "Picture", "community_flows", "community_map", "connect", "ego_network", "score_parts"]

using System.Text.Json.Nodes;
using Engram.Persistence;
using Engram.Retention;

namespace Engram.Data;

/// <summary>A whole source as state of a mechanism, for mechanisms that must keep all data.</summary>
internal static class StoredSource
{
    public static void Save(MechanismState state, string name, ISampleSource source)
    {
        var all = source.Gather([.. Enumerable.Range(0, source.Count).Select(index => (long)index)]);
        state.Tensors[$"{name}/inputs"] = all.Inputs;
        state.Tensors[$"{name}/targets"] = all.Targets;
        state.Values[name] = new JsonObject
        {
            ["kind"] = source.TargetKind.ToString(),
            ["labels"] = new JsonArray([.. source.Labels.Select(label => (JsonNode)label.Name)]),
        };
        if (source.LabelTasks is { } tasks) state.Values[name]!["tasks"] = new JsonArray([.. tasks.Select(task => (JsonNode)task)]);
    }

    public static TensorSource Load(MechanismState state, string name)
    {
        var values = state.Values.Fields(name);
        var kind = ManifestJson.Named<TargetKind>("kind", values.Value<string>("kind"));
        Label[] labels = [.. values.List<string>("labels").Select(label => (Label)label)];
        var tasks = values["tasks"] is null ? null : values.List<int>("tasks");
        var (inputs, targets) = (state.TakeSaved($"{name}/inputs"), state.TakeSaved($"{name}/targets"));
        return TensorSource.Stored(inputs, targets, labels, kind, tasks);
    }
}

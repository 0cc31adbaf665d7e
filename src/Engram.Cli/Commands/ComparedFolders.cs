using System.Text.Json;
using System.Text.Json.Nodes;
using Engram.Cli.Experiments;
using YamlDotNet.RepresentationModel;

namespace Engram.Cli.Commands;

/// <summary>Whether runs differ in the seed, and in which strategies they have, alone, by what their folders keep beside the results: the file's copy and the data's fingerprint.</summary>
internal static class ComparedFolders
{
    private const string Strategies = "strategies";

    // A run does not look at the section tune.
    private static readonly string[] s_free = ["seed", "tune"];

    /// <summary>Refuses runs of different files or data; a folder that keeps neither says nothing.</summary>
    /// <param name="folders">The folders of the runs.</param>
    /// <exception cref="UsageException">They differ; the message names the key and both values.</exception>
    public static void Check(IReadOnlyList<string> folders)
    {
        Check(folders, RunFileSettings.CopyName, path => ExperimentText.Read(path).Top.Node, (first, second) => Difference("", first, second));
        Check(folders, RunSettings.FileName, DataOf, (first, second) => first is not null && second is not null && first != second
            ? new Differing("data of fingerprint", first, second)
            : null);
    }

    // Each is held against each: what two of them share, a third may not have.
    private static void Check<T>(IReadOnlyList<string> folders, string name, Func<string, T> read, Func<T, T, Differing?> compare)
    {
        (string Folder, T Kept)[] there =
            [.. folders.Where(folder => File.Exists(Path.Combine(folder, name))).Select(folder => (folder, read(Path.Combine(folder, name))))];
        foreach (var (i, second) in there.Index())
            foreach (var first in there.Take(i))
                if (compare(first.Kept, second.Kept) is { } found)
                    throw new UsageException(
                        $"RUN: {found.Key}: {found.First} in \"{first.Folder}\", {found.Second} in \"{second.Folder}\", expected runs that differ in the seed alone");
    }

    private static Differing? Difference(string path, YamlNode? first, YamlNode? second) => (first, second) switch
    {
        (YamlMappingNode one, YamlMappingNode other) => one.Children.Keys.Union(other.Children.Keys)
            .Where(key => path.Length > 0 || !s_free.Contains($"{key}"))
            .Select(key => Difference(path.Length == 0 ? $"{key}" : $"{path}.{key}", Child(one, key), Child(other, key)))
            .FirstOrDefault(found => found is not null),
        // A strategy may be missing in some runs; where it is there it is the same.
        (YamlSequenceNode one, YamlSequenceNode other) when path == Strategies => one.Children
            .Select((strategy, i) => Difference($"{path}[{i}]", strategy, other.Children.FirstOrDefault(same => NameOf(same) == NameOf(strategy)) ?? strategy))
            .FirstOrDefault(found => found is not null),
        (YamlSequenceNode one, YamlSequenceNode other) => Enumerable.Range(0, Math.Max(one.Children.Count, other.Children.Count))
            .Select(i => Difference($"{path}[{i}]", one.Children.ElementAtOrDefault(i), other.Children.ElementAtOrDefault(i)))
            .FirstOrDefault(found => found is not null),
        (YamlScalarNode one, YamlScalarNode other) when one.Value == other.Value => null,
        _ => new Differing(path, Text(first), Text(second)),
    };

    private static string? NameOf(YamlNode strategy) => strategy is YamlMappingNode described ? $"{Child(described, "name")}" : $"{strategy}";

    private static YamlNode? Child(YamlMappingNode node, YamlNode key) => node.Children.TryGetValue(key, out var value) ? value : null;

    private static string Text(YamlNode? node) => node is null ? "nothing" : YamlSection.Kind(node);

    private static string? DataOf(string path)
    {
        try
        {
            return (string?)(JsonNode.Parse(File.ReadAllText(path)) as JsonObject)?["dataFingerprint"];
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            throw new UsageException($"RUN: {path}: damaged ({problem.Message}), expected settings as a run wrote them", problem);
        }
    }

    private sealed record Differing(string Key, string First, string Second);
}

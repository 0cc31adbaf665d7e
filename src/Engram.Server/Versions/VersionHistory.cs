using Engram.Client;

namespace Engram.Server.Versions;

/// <summary>What versions tell together: how well each class is kept.</summary>
internal static class VersionHistory
{
    /// <summary>Accuracy and forgetting over the versions that answered, in the order they were made.</summary>
    public static AccuracyOverVersions Accuracy(IReadOnlyList<VersionInfo> newestFirst)
    {
        VersionInfo[] versions = [.. newestFirst.Reverse().Where(version => version.State is VersionState.Published or VersionState.Retired)];
        string[] labels = [.. versions.SelectMany(version => version.Labels).Distinct(StringComparer.Ordinal)];
        var recalls = versions.Select(version => labels.Select(label => Recall(version, label)).ToArray()).ToArray();
        return new AccuracyOverVersions
        {
            Labels = labels,
            Versions = [.. versions.Select(version => version.Version)],
            Accuracy = recalls,
            Mean = [.. recalls.Select(row => row.Average())],
            Forgetting = [.. recalls.Select((_, i) => Forgetting(recalls, i))],
        };
    }

    /// <summary>What the published version has learnt and stored of each class.</summary>
    public static IReadOnlyList<ClassContent> Content(LearnerContext learner) =>
        learner.Book.Champion is { } champion ? VersionFile.Read(learner.Folders.PathOf(champion.Version))?.Classes ?? [] : [];

    // Mean over classes of the best recall before less the present one (Chaudhry et al. 2018, eq. 3).
    private static double? Forgetting(double?[][] recalls, int version)
    {
        var falls = Enumerable.Range(0, recalls[version].Length)
            .Select(label => recalls[version][label] is { } now && recalls[..version].Max(row => row[label]) is { } best ? best - now : (double?)null);
        return falls.Average();
    }

    private static double? Recall(VersionInfo version, string label) =>
        version.ClassAccuracy.TryGetValue(label, out var recall) ? recall : null;
}

using Engram.Evaluation;

namespace Engram.Reporting;

/// <summary>A class of the stream; its id is its place in the order of first arrival.</summary>
/// <param name="Label">The class's label.</param>
/// <param name="Group">Index of the group that brought it.</param>
internal sealed record LearntClass(string Label, int Group)
{
    /// <summary>All classes by id.</summary>
    public static IReadOnlyList<LearntClass> Of(RunResults results) =>
    [
        .. results.Groups
            .SelectMany((group, index) => group.Classes.Select(label => new LearntClass(label, index)))
            .DistinctBy(c => c.Label, StringComparer.Ordinal),
    ];
}

using Engram.Data;
using Engram.Evaluation;

namespace Engram.Streams;

/// <summary>Experiences in order, with the test sets that measure them.</summary>
/// <param name="Experiences">What is learnt.</param>
/// <param name="Tests">Test set i measures experience i.</param>
public sealed record ExperienceStream(IReadOnlyList<Experience> Experiences, IReadOnlyList<EvaluationSet> Tests)
{
    /// <summary>New classes in every experience.</summary>
    /// <param name="train">Training samples of all classes.</param>
    /// <param name="test">Test samples of all classes.</param>
    /// <param name="groups">The classes of each experience, in order; sizes may differ.</param>
    /// <exception cref="ArgumentException">No group, an empty group, a label in two groups or in no sample.</exception>
    public static ExperienceStream ClassIncremental(
        ISampleSource train, ISampleSource test, IReadOnlyList<IReadOnlyList<Label>> groups)
    {
        ArgumentNullException.ThrowIfNull(train);
        ArgumentNullException.ThrowIfNull(test);
        CheckGroups(train, groups);
        var experiences = groups.Select((group, index) =>
            new Experience(index, SubsetSource.WithLabels(train, [.. group]), name: NameOf(group)));
        var tests = groups.Select(group => new EvaluationSet(NameOf(group), SubsetSource.WithLabels(test, [.. group])));
        return new ExperienceStream([.. experiences], [.. tests]);
    }

    /// <summary>A short name for a group of labels: <c>0-4</c> for consecutive numbers, else the labels.</summary>
    /// <param name="group">The labels.</param>
    public static string NameOf(IReadOnlyList<Label> group)
    {
        ArgumentNullException.ThrowIfNull(group);
        var numbers = group.Select(label => int.TryParse(label.Name, out var number) ? number : (int?)null).ToArray();
        var consecutive = numbers.Length > 2 && numbers.Zip(numbers.Skip(1)).All(pair => pair.Second == pair.First + 1);
        return consecutive ? $"{numbers[0]}-{numbers[^1]}" : string.Join(", ", group);
    }

    private static void CheckGroups(ISampleSource train, IReadOnlyList<IReadOnlyList<Label>> groups)
    {
        ArgumentNullException.ThrowIfNull(groups);
        if (groups.Count == 0 || groups.Any(group => group.Count == 0))
            throw new ArgumentException("groups: expected one or more groups of one or more labels", nameof(groups));
        foreach (var twice in groups.SelectMany(group => group).GroupBy(label => label).Where(same => same.Count() > 1))
            throw new ArgumentException($"groups: label {twice.Key} occurs twice, expected once", nameof(groups));
        foreach (var label in groups.SelectMany(group => group).Except(train.Labels))
            throw new ArgumentException(
                $"groups: label {label} has no training sample, expected one of {string.Join(", ", train.Labels)}",
                nameof(groups));
    }
}

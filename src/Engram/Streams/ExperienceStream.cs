using Engram.Data;
using Engram.Evaluation;

namespace Engram.Streams;

/// <summary>Experiences in order, with the test sets that measure them.</summary>
/// <param name="Experiences">What is learnt. Long streams make each experience when it is asked for.</param>
/// <param name="Tests">Test set i measures what was new at <see cref="MeasuredAfter"/>[i].</param>
/// <remarks>The three scenarios are those of van de Ven, Tuytelaars and Tolias 2022, "Three types of incremental learning".</remarks>
public sealed partial record ExperienceStream(IReadOnlyList<Experience> Experiences, IReadOnlyList<EvaluationSet> Tests)
{
    /// <summary>Positions in <see cref="Experiences"/> after which the tests are due, one per test set, ascending.</summary>
    /// <value>By default after every experience; online streams are measured where a group of classes ends.</value>
    public IReadOnlyList<int> MeasuredAfter { get; init; } = new LazyList<int>(Tests?.Count ?? 0, position => position);

    /// <summary>New classes in every experience.</summary>
    /// <param name="train">Training samples of all classes.</param>
    /// <param name="test">Test samples of all classes.</param>
    /// <param name="groups">The classes of each experience, in order; sizes may differ.</param>
    /// <exception cref="ArgumentException">No group, an empty group, a label in two groups or in no sample.</exception>
    public static ExperienceStream ClassIncremental(
        ISampleSource train, EvaluationSet test, IReadOnlyList<IReadOnlyList<Label>> groups)
    {
        ArgumentNullException.ThrowIfNull(train);
        ArgumentNullException.ThrowIfNull(test);
        ClassGroups.Check(train, groups);
        var experiences = groups.Select((group, index) =>
            new Experience(index, SubsetSource.WithLabels(train, [.. group]), name: NameOf(group)));
        var tests = groups.Select(group => new EvaluationSet(NameOf(group), SubsetSource.WithLabels(test.Samples, [.. group])));
        return new ExperienceStream([.. experiences], [.. tests]);
    }

    /// <summary>New classes in every experience, and the task is told: at test time only its own classes are candidates.</summary>
    /// <param name="train">Training samples of all classes.</param>
    /// <param name="test">Test samples of all classes.</param>
    /// <param name="groups">The classes of each task, in order; sizes may differ.</param>
    /// <exception cref="ArgumentException">No group, an empty group, a label in two groups or in no sample.</exception>
    public static ExperienceStream TaskIncremental(
        ISampleSource train, EvaluationSet test, IReadOnlyList<IReadOnlyList<Label>> groups)
    {
        var stream = ClassIncremental(train, test, groups);
        return new ExperienceStream(
            [.. stream.Experiences.Select(e => new Experience(e.Index, e.Train, e.Index, name: e.Name))],
            [.. stream.Tests.Select((set, task) => new EvaluationSet(set.Name, set.Samples, task))]);
    }

    /// <summary>
    /// New classes in every experience under the same outputs: a sample's label is the place of its class in its group
    /// (split MNIST asks "the first or the second digit of the pair?").
    /// </summary>
    /// <param name="train">Training samples of all classes.</param>
    /// <param name="test">Test samples of all classes.</param>
    /// <param name="groups">The classes of each experience, in order; all of the same size.</param>
    /// <param name="names">Names of the places; by default <see cref="ClassGroups.Places"/>.</param>
    /// <exception cref="ArgumentException">As in class-incremental streams, or groups of different sizes.</exception>
    public static ExperienceStream DomainIncremental(
        ISampleSource train, EvaluationSet test, IReadOnlyList<IReadOnlyList<Label>> groups,
        IReadOnlyList<Label>? names = null)
    {
        var stream = ClassIncremental(train, test, groups);
        if (groups.Any(group => group.Count != groups[0].Count))
            throw new ArgumentException(
                $"groups: sizes {string.Join(", ", groups.Select(group => group.Count))}, expected equal sizes", nameof(groups));
        names ??= ClassGroups.Places(groups[0].Count);
        return FromDomains([.. groups.Select((group, index) => new Domain(
            NameOf(group), RelabelledSource.ByPlace(stream.Experiences[index].Train, group, names),
            stream.Tests[index].Map(source => RelabelledSource.ByPlace(source, group, names))))]);
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
}

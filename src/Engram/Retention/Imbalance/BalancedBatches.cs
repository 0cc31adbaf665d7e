using Engram.Data;
using Engram.Learning;
using Engram.Streams;

namespace Engram.Retention;

/// <summary>
/// Shows every class of an experience equally often, by repeating samples of the rare ones (oversampling).
/// Buda, Maki and Mazurowski 2018, "A systematic study of the class imbalance problem in convolutional neural networks",
/// section 3.1, found it the most reliable remedy.
/// </summary>
/// <remarks>
/// Every class gets as many samples as the most frequent one has: all of its own, over and over, the remainder by lot. A
/// memory that fills when an experience ends sees the repeats too. Rare samples are seen many times: watch for overfitting.
/// </remarks>
public sealed class BalancedBatches : RetentionMechanism
{
    /// <inheritdoc/>
    public override string Name => "balanced-batches";

    /// <inheritdoc/>
    public override Seams Seams => Seams.TrainingData;

    /// <inheritdoc/>
    public override long MemoryBytes => 0;

    /// <inheritdoc/>
    protected internal override string? WhyNot(Experience experience) => Require.Classes(experience, Name);

    /// <inheritdoc/>
    protected internal override ISampleSource ChooseTrainingData(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var source = context.Experience.Train;
        var random = new SeededRandom(context.Options.Seed, $"balanced-batches/{context.Experience.Index}");
        var rowsOf = source.Labels.Select(_ => new List<int>()).ToArray();
        for (var row = 0; row < source.Count; row++) rowsOf[source.Codes.Span[row]].Add(row);
        var most = rowsOf.Max(rows => rows.Count);
        var chosen = new List<int>(most * rowsOf.Length);
        foreach (var rows in rowsOf.Where(rows => rows.Count > 0))
        {
            for (var round = 0; round < most / rows.Count; round++) chosen.AddRange(rows);
            chosen.AddRange(random.Permutation(rows.Count).Take(most % rows.Count).Select(place => rows[place]));
        }
        return new SubsetSource(source, [.. chosen]);
    }
}

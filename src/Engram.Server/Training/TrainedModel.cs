using Engram.Data;
using Engram.Learning;
using Engram.Persistence;
using Engram.Streams;

namespace Engram.Server.Training;

/// <summary>A learner while it learns: what a candidate is made with, and then saved.</summary>
internal abstract class TrainedModel : IDisposable
{
    /// <summary>The learner itself.</summary>
    public abstract IContinualLearner Learner { get; }

    /// <summary>Whether learnt samples can be unlearnt exactly.</summary>
    public abstract bool Unlearns { get; }

    /// <summary>The index of the next experience.</summary>
    public abstract int NextExperience { get; }

    /// <summary>The labels it knows, by class id.</summary>
    public abstract IReadOnlyList<string> Labels { get; }

    /// <summary>Samples that its mechanisms store, by label; empty where none are.</summary>
    public virtual IReadOnlyDictionary<string, int> Stored => new Dictionary<string, int>();

    /// <summary>Learns samples.</summary>
    /// <param name="samples">The samples.</param>
    /// <param name="betweenSteps">Called after every step; may wait, and ends learning by throwing.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellationToken">Ends learning; the model is not to be used any more then.</param>
    public abstract void Learn(
        ISampleSource samples, Action betweenSteps, IProgress<LearningProgress>? progress, CancellationToken cancellationToken);

    /// <summary>Unlearns samples, where it <see cref="Unlearns"/>.</summary>
    /// <exception cref="ArgumentException">They cannot have been learnt.</exception>
    public abstract void Unlearn(ISampleSource samples);

    /// <summary>Saves it.</summary>
    /// <param name="folder">A folder that is not there yet.</param>
    /// <param name="info">Where it comes from; files are shared with the parent it names.</param>
    public abstract void Save(string folder, BundleInfo info);

    /// <inheritdoc/>
    public abstract void Dispose();

    private protected static IReadOnlyList<string> NamesOf(ClassRegistry classes) => [.. classes.Classes.Select(key => key.Label.Name)];

    private protected static int Next(IReadOnlySet<int> learnt) => learnt.Count == 0 ? 0 : learnt.Max() + 1;
}

using Engram.Data;
using Engram.Learning;
using Engram.Persistence;
using Engram.Streams;

namespace Engram.Server.Training;

/// <summary>A network with its mechanisms and its optimiser.</summary>
internal sealed class NetworkModel(Learner learner) : TrainedModel
{
    public override IContinualLearner Learner => learner;

    public override bool Unlearns => false;

    public override int NextExperience => Next(learner.Learnt);

    public override IReadOnlyList<string> Labels => NamesOf(learner.Classes);

    public override IReadOnlyDictionary<string, int> Stored => Labels.Zip(learner.StoredByClass).ToDictionary();

    public override void Learn(
        ISampleSource samples, Action betweenSteps, IProgress<LearningProgress>? progress, CancellationToken cancellationToken)
    {
        learner.BetweenSteps = betweenSteps;
        learner.Learn(new Experience(NextExperience, samples), progress, cancellationToken);
    }

    public override void Unlearn(ISampleSource samples) =>
        throw new NotSupportedException("unlearn: a network cannot, expected it to be trained anew without the samples");

    public override void Save(string folder, BundleInfo info) => Bundle.Save(learner, folder, info);

    public override void Dispose() => learner.Dispose();
}

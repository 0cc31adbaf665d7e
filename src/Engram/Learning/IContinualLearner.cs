using Engram.Streams;

namespace Engram.Learning;

/// <summary>Learns experience after experience and predicts at any time, by gradients or in closed form.</summary>
public interface IContinualLearner : IDisposable
{
    /// <summary>The labels learnt so far and their ids.</summary>
    ClassRegistry Classes { get; }

    /// <summary>What is known at test time.</summary>
    Scenario Scenario { get; }

    /// <summary>Learns one experience; after cancellation the same experience goes on where it stopped.</summary>
    /// <param name="experience">What to learn.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellationToken">Stops after the step in progress; nothing learnt is lost.</param>
    LearningResult Learn(
        Experience experience, IProgress<LearningProgress>? progress = null, CancellationToken cancellationToken = default);

    /// <summary>Predicts labels of samples as stored.</summary>
    /// <param name="inputs"><c>[batch, ...]</c>, Byte or Float32.</param>
    /// <param name="taskId">The task, needed in task-incremental learning.</param>
    Prediction Predict(Tensor inputs, int? taskId = null);

    /// <summary>Scores of samples, float32 <c>[batch, classes]</c>.</summary>
    /// <param name="inputs"><c>[batch, ...]</c>, Byte or Float32.</param>
    /// <param name="taskId">The task, needed in task-incremental learning.</param>
    Tensor Scores(Tensor inputs, int? taskId = null);
}

namespace Engram.Drift;

/// <summary>Watches a stream of numbers, one at a time, and says when it no longer comes from where it came from.</summary>
/// <remarks>After a detection a detector goes on by itself with what it knows of the new state; nothing need be reset.</remarks>
public interface IDriftDetector
{
    /// <summary>Its name: <c>adwin</c>, <c>page-hinkley</c>, <c>ddm</c> or <c>kswin</c>.</summary>
    string Name { get; }

    /// <summary>Whether the last value completed the evidence of drift.</summary>
    bool Drifting { get; }

    /// <summary>Whether the evidence is near that; always false for detectors whose papers define no such level.</summary>
    bool Warning { get; }

    /// <summary>What it estimates of the present state: the mean of its window, or of all values since the last drift.</summary>
    double Estimate { get; }

    /// <summary>Values seen since it was made or reset.</summary>
    long Count { get; }

    /// <summary>Takes the next value.</summary>
    /// <param name="value">A finite number; <see cref="Ddm"/> takes errors, 0 or 1, and <see cref="Adwin"/> numbers from 0 to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The value is not finite, or outside what the detector takes.</exception>
    void Add(double value);

    /// <summary>Forgets everything.</summary>
    void Reset();
}
